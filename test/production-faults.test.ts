import { setTimeout as pause } from 'node:timers/promises';
import type { LocalServer } from '@tidemark/servers';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Client, Json } from './rig/client.js';
import { figure } from './rig/figure.js';
import { inference, model } from './rig/fixtures.js';
import { IngestLoad } from './rig/ingest-load.js';
import { isFullLength, rounds } from './rig/length.js';
import { OwnMetrics } from './rig/own-metrics.js';
import { CAN_RUN_PRODUCTION, openProduction } from './rig/production-platform.js';
import { HttpSink } from './rig/receivers/http-sink.js';
import { settledDeliveries } from './rig/settled-ledger.js';
import { drained, NOTHING_WRONG, reckon, storedIds } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

const MODELS = ['alpha', 'beta', 'gamma'];

async function openSink(api: Client): Promise<HttpSink> {
  const sink = await HttpSink.open();
  onTestFinished(() => sink.close());
  await api.must(api.post('channels', { name: 'sink', kind: 'webhook', url: `${sink.url}/hook` }));
  return sink;
}

const eventIds = (sink: HttpSink): string[] => sink.requests.map(({ headers }) => String(headers['webhook-id']));

describe.skipIf(!CAN_RUN_PRODUCTION)('production', () => {
  test('takes points, tells of alerts and loses nothing while InfluxDB is dead', { timeout: 900_000 }, async () => {
    const platform = await openProduction();
    const api = platform.client();
    const sink = await openSink(api);
    await api.must(api.post('models', model('watched', { thresholds: { latency: 100 } })));
    const statuses = new Map<number, number>();
    const load = new IngestLoad(api, {
      ...{ prefix: 'outage', modelIds: MODELS, batchSize: 100, connections: 4, pointsPerSecond: 2000 },
      onAnswer: ({ status }) => statuses.set(status, (statuses.get(status) ?? 0) + 1),
    });
    await waitFor('points to flow', () => load.points('acknowledged') > 1000);

    await platform.stack.influxdb.kill();
    const before = load.points('acknowledged');
    await pause(isFullLength() ? 300_000 : 6000);
    expect((await api.post('metrics/inference', inference('watched', 'slow', { latency: 900 }))).status).toBe(201);
    await waitFor('the notice', () => sink.requests.length === 1);
    expect((await OwnMetrics.of(platform)).sum('tidemark_spool_points')).toBeGreaterThan(1000);
    expect((await api.get('/readyz')).status).toBe(200);
    expect((await api.get('health')).json).toMatchObject({ status: 'degraded', services: { influxdb: 'unhealthy' } });
    expect(load.points('acknowledged')).toBeGreaterThan(before);

    await platform.stack.influxdb.start();
    const backMs = performance.now();
    await drained(platform);
    figure(
      'InfluxDB dead under 2,000 points/s',
      `drained ${((performance.now() - backMs) / 1000).toFixed(1)} s after its return`,
    );
    await load.stop();
    await drained(platform);
    expect([...statuses.keys()]).toEqual([201]);
    const ids = (await storedIds(api)).filter((id) => id !== 'slow');
    expect(reckon(load.batches, ids)).toMatchObject(NOTHING_WRONG);
    expect(ids).toHaveLength(load.points('acknowledged'));
    expect((await api.must(api.get('summary'))).total_requests).toBe(ids.length + 1);
  });

  test('drains what a hang of InfluxDB left, under a load that never pauses', { timeout: 600_000 }, async () => {
    const platform = await openProduction();
    const api = platform.client();
    const statuses = new Set<number>();
    const load = new IngestLoad(api, {
      ...{ prefix: 'flood', modelIds: MODELS, batchSize: 1000, connections: 8, pointsPerSecond: 0 },
      onAnswer: ({ status }) => void statuses.add(status),
    });
    await waitFor('points to flow', () => load.points('acknowledged') > 20_000);

    platform.stack.influxdb.pause();
    await pause(3000);
    platform.stack.influxdb.resume();
    const backMs = performance.now();
    const waited = (await OwnMetrics.of(platform)).sum('tidemark_spool_points');
    expect(waited).toBeGreaterThan(0);
    await drained(platform);
    const tookS = (performance.now() - backMs) / 1000;
    figure('InfluxDB hung for 3 s under a flood', `${waited} points waited, drained ${tookS.toFixed(1)} s after`);
    await load.stop();
    await drained(platform);
    expect(statuses).toEqual(new Set([201]));
    expect((await api.must(api.get('summary'))).total_requests).toBe(load.points('acknowledged'));
  });

  test('delivers every alert once that fired while Redis was dead', { timeout: 600_000 }, async () => {
    const platform = await openProduction();
    const api = platform.client();
    const sink = await openSink(api);
    const count = 50; // below the limit of a channel
    for (let i = 0; i < count; i++)
      await api.must(api.post('models', model(`m${i}`, { thresholds: { latency: 100 } })));
    await platform.stack.redis.kill();
    for (let i = 0; i < count; i++) {
      await api.must(api.post('metrics/inference', inference(`m${i}`, `r${i}`, { latency: 900 })));
    }
    expect(await api.must(api.get('alerts'))).toHaveLength(count);
    await pause(isFullLength() ? 60_000 : 2000);
    expect(sink.requests).toHaveLength(0);
    await platform.stack.redis.start();
    await settledDeliveries(api);
    const ids = eventIds(sink);
    expect(ids).toHaveLength(count);
    expect(new Set(ids).size).toBe(count);
  });

  test('loses neither points nor notices whichever process is killed', { timeout: 1_200_000 }, async () => {
    const platform = await openProduction();
    const { stack } = platform;
    const api = platform.client();
    const sink = await openSink(api);
    const load = new IngestLoad(api, {
      ...{ prefix: 'chaos', modelIds: MODELS, batchSize: 50, connections: 4, pointsPerSecond: 1000 },
    });
    const breaches = new Breaches(api);
    const victims: readonly LocalServer[] = stack.servers;
    const turns = rounds(victims.length, 60);
    const killed: string[] = [];
    for (let turn = 0; turn < turns; turn++) {
      // Each once, then whichever chance says.
      const victim = victims[turn < victims.length ? turn : Math.floor(Math.random() * victims.length)];
      if (!victim) throw new Error('there is nothing to kill');
      killed.push(victim.kind.name);
      const endMs = performance.now() + (isFullLength() ? 10_000 : 3000);
      await victim.kill();
      await pause(500);
      await victim.start();
      await pause(Math.max(0, endMs - performance.now()));
    }
    await breaches.stop();
    await load.stop();
    await waitFor('the platform to answer', async () => (await api.get('summary')).status === 200, 60_000);
    await drained(platform);
    await settledDeliveries(api);

    const ids = (await storedIds(api)).filter((id) => id.startsWith('chaos'));
    expect(reckon(load.batches, ids), killed.join(' ')).toMatchObject({ lost: [], doubled: [] });
    const alerts = await api.must(api.get('alerts?limit=1000'));
    const fired = new Set(alerts.map(({ model_id }: Json) => model_id));
    expect(breaches.acknowledged.filter((id) => !fired.has(id))).toEqual([]);
    expect(breaches.acknowledged.length).toBeGreaterThan(turns);

    const { deliveries } = await api.must(api.get('deliveries?limit=1000'));
    const byStatus = (status: string): Json[] => deliveries.filter((one: Json) => one.status === status);
    expect(byStatus('delivered').length + byStatus('suppressed').length).toBe(deliveries.length);
    const arrived = new Set(eventIds(sink));
    expect(byStatus('delivered').filter(({ event_id }) => !arrived.has(event_id))).toEqual([]);
    const repeats = sink.requests.length - arrived.size;
    expect(repeats).toBeLessThanOrEqual(turns * 4); // what a worker had under way to one channel when it was killed
    figure(
      `${turns} kills of ${new Set(killed).size} kinds`,
      `${load.points('acknowledged')} acknowledged points, none lost; ${alerts.length} alerts, ${arrived.size} notices, ${repeats} repeats`,
    );
  });
});

/** Breaches makes a new alert a second, each of a model of its own, and remembers which were acknowledged. */
class Breaches {
  readonly acknowledged: string[] = [];
  private stopping = false;
  private readonly work: Promise<void>;

  constructor(private readonly api: Client) {
    this.work = this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.work;
  }

  private async run(): Promise<void> {
    for (let i = 0; !this.stopping; i++) {
      const id = `breaching${i}`;
      try {
        const registered = await this.api.post('models', model(id, { thresholds: { latency: 100 } }));
        if (registered.status === 201) {
          const answer = await this.api.post('metrics/inference', inference(id, id, { latency: 900 }));
          if (answer.status === 201) this.acknowledged.push(id);
        }
      } catch {
        // nobody there: nothing was acknowledged
      }
      await pause(1000);
    }
  }
}
