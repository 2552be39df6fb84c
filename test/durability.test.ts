import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Client, Json } from './rig/client.js';
import { figure, milliseconds } from './rig/figure.js';
import { inference } from './rig/fixtures.js';
import { IngestLoad, type SentBatch } from './rig/ingest-load.js';
import { isFullLength, rounds } from './rig/length.js';
import { ALONE, openPlatform, PROFILES } from './rig/platform.js';
import { CAN_RUN_PRODUCTION, openProduction } from './rig/production-platform.js';
import { drained, NOTHING_WRONG, reckon, storedIds } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

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

describe.each(PROFILES)('durability, $name', (profile) => {
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
      await drained(platform);
      const ids = await storedIds(api);
      expect(reckon(sent, ids), `after round ${round}`).toMatchObject(NOTHING_WRONG);
      expect(await counts(api)).toEqual({ summary: ids.length, aggregated: ids.length, byModel: ids.length });
    }
    const acknowledged = sent.filter(({ fate }) => fate === 'acknowledged');
    expect(acknowledged.length).toBeGreaterThan(turns); // else the rounds proved nothing
    const points = acknowledged.reduce((sum, { size }) => sum + size, 0);
    figure(`${turns} kill -9 during ingest, ${profile.name}`, `${points} acknowledged points, none lost`);
  });
});

// How fast production is back depends on what stands before it; that nothing is lost is shown above.
describe.each(ALONE)('durability, $name', (profile) => {
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
  });
});

describe.skipIf(!CAN_RUN_PRODUCTION)('one of two instances', () => {
  test('can be killed at any moment: the other goes on, and nothing is lost', { timeout: 600_000 }, async () => {
    const platform = await openProduction();
    const api = platform.client();
    const load = new IngestLoad(api, {
      ...{ prefix: 'p', modelIds: MODELS, batchSize: 100, connections: 4, pointsPerSecond: 5000 },
    });
    onTestFinished(() => load.stop());
    const more = (): Promise<boolean> => {
      const before = load.points('acknowledged');
      return waitFor('points to be acknowledged', () => load.points('acknowledged') > before + 2000);
    };
    const turns = rounds(4, 20);
    for (let turn = 0; turn < turns; turn++) {
      const victim = platform.stack.apis[turn % 2];
      await more();
      await pause(Math.random() * 300);
      await victim.kill();
      await more();
      // Whoever reads meanwhile is answered by the other: a read may be asked again.
      expect((await api.get('summary')).status).toBe(200);
      await victim.start();
      await waitFor('both to be ready', async () => (await fetch(`${victim.url}/readyz`)).ok);
    }
    await more();
    await load.stop();
    await drained(platform);
    const ids = await storedIds(api);
    expect(reckon(load.batches, ids)).toMatchObject(NOTHING_WRONG);
    expect(await counts(api)).toEqual({ summary: ids.length, aggregated: ids.length, byModel: ids.length });
    const lost = load.points('unknown');
    figure(
      `${turns} kill -9 of one of two`,
      `${load.points('acknowledged')} acknowledged points, none lost; ${lost} unanswered`,
    );
  });
});
