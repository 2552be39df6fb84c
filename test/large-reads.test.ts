import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Client, Json } from './rig/client.js';
import { figure, megabytes, milliseconds } from './rig/figure.js';
import { inference } from './rig/fixtures.js';
import { isFullLength } from './rig/length.js';
import { MemoryWatch } from './rig/memory-watch.js';
import { type Platform, PROFILES } from './rig/platform.js';
import { drained } from './rig/stored-points.js';

const MB = 1_048_576;
/** A hundred thousand points, on a machine that may have other work. */
const EXPORT_MS = 120_000;

/** standstill waits until a figure has not changed for two seconds. */
async function standstill(figureOf: () => number): Promise<void> {
  for (let before = NaN, now = figureOf(); now !== before;) {
    await pause(2000);
    [before, now] = [now, figureOf()];
  }
}

describe.each(PROFILES)('reading much, $name', (profile) => {
  let platform: Platform;
  let api: Client;
  let stored = 0;
  beforeAll(async () => {
    // Without a bound most of what an instance takes would be garbage that nothing asked to be collected.
    platform = await profile.open({ env: { NODE_OPTIONS: '--max-old-space-size=160' } });
    api = platform.client();
    const batches = isFullLength() ? 100 : 10;
    for (let batch = 0; batch < batches; batch++) {
      const metrics = Array.from({ length: 10_000 }, (_, i) =>
        inference(`m${i % 7}`, `b${batch}-${i}`, {
          latency: (i % 500) + 1,
          tags: { shard: `s${i % 5}` },
          error_rate: 0.01,
        }),
      );
      await api.must(api.post('metrics/inference/batch', { metrics }));
      stored += metrics.length;
    }
    await drained(platform);
  }, 180_000);
  afterAll(() => platform.close());

  const exported = async (format: 'csv' | 'ndjson'): Promise<string> =>
    (await api.get(`export/inference?format=${format}`, { timeoutMs: EXPORT_MS })).text;

  test('an export that nobody takes holds up in the server, not in its memory', async () => {
    const { hostname, port } = new URL(platform.url);
    const { metrics } = await api.must(api.get('metrics/inference?model_id=m1&limit=1'));
    const whole = stored * JSON.stringify(metrics[0]).length; // about
    const memory = MemoryWatch.from(platform);
    const sockets = Array.from({ length: 10 }, () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined).pause();
      socket.write('GET /api/v1/export/inference?format=ndjson HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      return socket;
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    const beginMs = performance.now();
    for (let i = 0; i < 40; i++) {
      expect((await api.post('metrics/inference', inference('other', `o${stored}`))).status).toBe(201);
      stored++;
      await pause(25);
    }
    const tookMs = performance.now() - beginMs;
    await standstill(() => memory.peakBytes);
    const name = `ten exports of ${megabytes(whole)} each that nobody takes, ${profile.name}`;
    figure(`${name}, memory`, megabytes(memory.peakBytes));
    figure(`${name}, forty requests beside them`, milliseconds(tookMs));
    expect((await api.must(api.get('metrics/inference?model_id=m1&limit=10'))).metrics).toHaveLength(10);
    // Each export reads a page at a time, also of the 10,000 points that share a ms here.
    expect(memory.peakBytes).toBeLessThan(192 * MB);
  });

  test('all pages together are every point once, newest first, while more arrive', async () => {
    const seen: string[] = [];
    let cursor = '';
    let last = Infinity;
    let posted = 0;
    for (;;) {
      const page = await api.must(api.get(`metrics/inference?model_id=m3&limit=1000${cursor}`));
      for (const { request_id, timestamp } of page.metrics) {
        seen.push(request_id);
        expect(Date.parse(timestamp)).toBeLessThanOrEqual(last);
        last = Date.parse(timestamp);
      }
      await api.must(api.post('metrics/inference', inference('m3', `late-${seen.length}`)));
      posted++;
      if (!page.next_cursor) break;
      cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
    }
    stored += posted;
    await drained(platform);
    const wanted = (await api.must(api.get('summary?model_id=m3'))).total_requests;
    const late = seen.filter((id) => id.startsWith('late')).length;
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length - late).toBe(wanted - posted);
  });

  test('raw points, summaries, windows and exports count the same', async () => {
    const csv = (await exported('csv')).split('\r\n').filter((line) => line !== '');
    expect(csv).toHaveLength(stored + 1);
    const ndjson = (await exported('ndjson')).split('\n').filter((line) => line !== '');
    expect(ndjson).toHaveLength(stored);
    expect((await api.must(api.get('summary'))).total_requests).toBe(stored);
    for (const window of ['10s', '1m', '7m', '1h']) {
      const query = `stat=count&metric=latency&window=${window}&since_hours=1&group_by=shard`;
      const { groups } = await api.must(api.get(`metrics/aggregated?${query}`));
      const counts = groups.flatMap(({ aggregated_metrics }: Json) => aggregated_metrics.latency);
      expect(counts.reduce((sum: number, { value }: Json) => sum + (value ?? 0), 0)).toBe(stored);
    }
    const latencies = ndjson.map((line) => Number(JSON.parse(line).latency)).sort((a, b) => a - b);
    const summary = await api.must(api.get('summary'));
    for (const [name, share] of [
      ['p95_latency', 0.95],
      ['p99_latency', 0.99],
    ] as const) {
      const exact = latencies[Math.ceil(share * latencies.length) - 1];
      expect(Math.abs(summary[name] - exact) / exact).toBeLessThanOrEqual(0.0101);
    }
    const mean = latencies.reduce((sum, one) => sum + one, 0) / latencies.length;
    expect(summary.average_latency).toBeCloseTo(mean, 6);
  });
});
