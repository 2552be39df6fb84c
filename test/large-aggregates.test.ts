import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, Json } from './rig/client.js';
import { figure, megabytes, milliseconds } from './rig/figure.js';
import { inference } from './rig/fixtures.js';
import { MemoryWatch } from './rig/memory-watch.js';
import { type Platform, PROFILES } from './rig/platform.js';
import { drained } from './rig/stored-points.js';

const MB = 1_048_576;
const SERIES = 9_000;
/** Between two requests of who else asks: far below the 500 requests/s that nginx takes from one address. */
const PAUSE_MS = 10;

describe.each(PROFILES)('aggregates over many series, $name', (profile) => {
  let platform: Platform;
  let api: Client;
  beforeAll(async () => {
    platform = await profile.open();
    api = platform.client();
    const nowMs = Date.now();
    for (let round = 0; round < 4; round++) {
      const metrics = Array.from({ length: SERIES }, (_, i) =>
        inference(`m${i % 3}`, `r${round}-${i}`, {
          latency: ((i * 7919 + round * 104_729) % 5000) + 1,
          tags: { id: `i${i}`, region: `r${i % 5}` },
          timestamp: new Date(nowMs - round * 1500 - (i % 60) * 60_000).toISOString(),
        }),
      );
      await api.must(api.post('metrics/inference/batch', { metrics }));
    }
    await drained(platform);
  }, 180_000);
  afterAll(() => platform.close());

  /** While it is answered, others are: how long the slowest of them waited. */
  const beside = async (
    query: string,
  ): Promise<{ readonly answer: Json; readonly text: string; readonly slowestMs: number }> => {
    let isDone = false;
    let slowestMs = 0;
    const others = platform.client();
    const watch = async (): Promise<void> => {
      while (!isDone) {
        const beginMs = performance.now();
        expect((await others.get('/livez')).status).toBe(200);
        slowestMs = Math.max(slowestMs, performance.now() - beginMs);
        await sleep(PAUSE_MS);
      }
    };
    const asked = api.get(`metrics/aggregated?${query}`).finally(() => (isDone = true));
    const [{ json, text }] = await Promise.all([asked, watch()]);
    return { answer: json, text, slowestMs };
  };

  test.each([
    ['group_by=id,model_id&window=30s&since_hours=24', '5 groups with 2,881 windows of 6 metrics'],
    ['metric=latency&stat=p95&group_by=id&window=1m&since_hours=24', '17 groups with 1,441 windows of 1 metric'],
    ['group_by=id&window=1h&since_hours=2', '5,263 groups with 3 windows of 6 metrics'],
  ])('%s is refused, and nobody else notices', async (query, detail) => {
    const memory = MemoryWatch.from(platform);
    const { answer, slowestMs } = await beside(query);
    expect(answer).toMatchObject({ status: 422, code: 'answer_too_large', errors: [{ pointer: '/group_by' }] });
    expect(answer.detail).toContain(`more than ${detail} each are asked for`);
    expect(answer.detail).toContain(
      'at most 100,000 values (25,000 where several groups have percentiles) and 10,000 groups',
    );
    figure(`a refused aggregate, ${profile.name}`, `${milliseconds(slowestMs)}, ${megabytes(memory.peakBytes)}`);
    expect(memory.peakBytes).toBeLessThan(192 * MB);
  });

  test.each([
    ['metric=latency&stat=count&group_by=id&window=1d&since_hours=24', SERIES],
    ['metric=latency&stat=count&group_by=region,model_id&window=30s&since_hours=24', 15],
    ['metric=latency&stat=count&group_by=id&window=8m&since_hours=1', SERIES],
    ['metric=latency&stat=p95&group_by=id&window=1d&since_hours=24', SERIES],
  ])('%s is answered, and others beside it', async (query, groups) => {
    const memory = MemoryWatch.from(platform);
    const { answer, text, slowestMs } = await beside(query);
    expect(answer.groups).toHaveLength(groups);
    if (query.includes('count')) {
      const values = answer.groups.flatMap((one: Json) => one.aggregated_metrics.latency);
      expect(values.reduce((sum: number, { value }: Json) => sum + (value ?? 0), 0)).toBe(4 * SERIES);
    }
    const size = `${megabytes(text.length)}, ${milliseconds(slowestMs)}, ${megabytes(memory.peakBytes)}`;
    figure(`a large aggregate, ${profile.name}`, size);
    expect(memory.peakBytes).toBeLessThan(192 * MB);
  });
});
