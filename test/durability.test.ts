import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Client, Json } from './rig/client.js';
import { figure, milliseconds } from './rig/figure.js';
import { inference } from './rig/fixtures.js';
import { IngestLoad, type SentBatch } from './rig/ingest-load.js';
import { isFullLength, rounds } from './rig/length.js';
import { openPlatform, ALONE } from './rig/platform.js';
import { NOTHING_WRONG, reckon, storedIds } from './rig/stored-points.js';

const MODELS = ['alpha', 'beta', 'gamma'];

/** What the platform says it holds, by three ways that must agree with the points themselves. */
async function counts(api: Client): Promise<{ summary: number; aggregated: number; byModel: number }> {
  const { total_requests: summary } = await api.must(api.get('summary'));
  const daily = await api.must(api.get('metrics/aggregated?stat=count&window=1h&since_hours=24&metric=latency'));
  const perModel = await Promise.all(MODELS.map((id) => api.must(api.get(`summary?model_id=${id}`))));
  return {
    summary,
    aggregated: daily.aggregated_metrics.latency.reduce((sum: number, { value }: Json) => sum + (value ?? 0), 0),
    byModel: perModel.reduce((sum: number, one: Json) => sum + one.total_requests, 0),
  };
}

describe.each(ALONE)('durability, $name', (profile) => {
  test('kill -9 at any moment loses no acknowledged point and tears no batch', { timeout: 600_000 }, async () => {
    const platform = await openPlatform(profile);
    const api = platform.client();
    const sent: SentBatch[] = [];
    const turns = rounds(3, 20);
    for (let round = 0; round < turns; round++) {
      const load = new IngestLoad(api, {
        prefix: `round${round}`,
        modelIds: MODELS,
        batchSize: 100,
        connections: 4,
        pointsPerSecond: 5000,
      });
      await pause(400 + Math.random() * 1200);
      await platform.kill();
      await load.stop();
      await platform.start();
      sent.push(...load.batches);
      const ids = await storedIds(api);
      expect(reckon(sent, ids), `after round ${round}`).toMatchObject(NOTHING_WRONG);
      expect(await counts(api)).toEqual({ summary: ids.length, aggregated: ids.length, byModel: ids.length });
    }
    const acknowledged = sent.filter(({ fate }) => fate === 'acknowledged');
    expect(acknowledged.length).toBeGreaterThan(turns); // else the rounds proved nothing
    const points = acknowledged.reduce((sum, { size }) => sum + size, 0);
    figure(`${turns} kill -9 during ingest`, `${points} acknowledged points, none lost`);
  });

  test('a platform that was killed is ready again soon, however much it holds', { timeout: 300_000 }, async () => {
    const platform = await openPlatform(profile);
    const api = platform.client();
    const batches = isFullLength() ? 100 : 20;
    for (let batch = 0; batch < batches; batch++) {
      const metrics = Array.from({ length: 10_000 }, (_, i) =>
        inference(`m${i % 20}`, `b${batch}-${i}`, { latency: (i % 500) + 1, tags: { region: `r${i % 5}` } }),
      );
      await api.must(api.post('metrics/inference/batch', { metrics }));
    }
    await platform.kill();
    await platform.start();
    const { total_requests } = await api.must(api.get('summary'));
    expect(total_requests).toBe(batches * 10_000);
    figure(`ready after kill -9 with ${total_requests} points`, milliseconds(platform.startMs));
    if (isFullLength()) expect(platform.startMs).toBeLessThan(3000);
  });
});
