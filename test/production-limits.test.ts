import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Answer, Client } from './rig/client.js';
import { figure } from './rig/figure.js';
import { inference, model } from './rig/fixtures.js';
import { IngestLoad } from './rig/ingest-load.js';
import { CAN_RUN_PRODUCTION, ProductionPlatform } from './rig/production-platform.js';
import { HttpSink } from './rig/receivers/http-sink.js';
import { settledDeliveries } from './rig/settled-ledger.js';
import { drained, NOTHING_WRONG, reckon, storedIds } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

/** An instance reads its keys anew this often. */
const KEYS_REFRESH_MS = 5000;

describe.skipIf(!CAN_RUN_PRODUCTION)('production at its limits', () => {
  let platform: ProductionPlatform;
  let key: string;
  let api: Client;
  const answers: Answer[] = [];
  beforeAll(async () => {
    platform = await ProductionPlatform.open({ env: { TIDEMARK_SPOOL_MAX: '1MB' }, keys: [{}] });
    [key] = platform.keys;
    api = platform.client({ key, onAnswer: (answer) => answers.push(answer) });
  }, 120_000);
  afterAll(() => platform.close());

  const refused = (): Answer[] => answers.filter(({ status }) => status !== 200 && status !== 201);

  test('a full spool says when to come back, and drops nothing that it took', { timeout: 300_000 }, async () => {
    const load = new IngestLoad(api, {
      ...{ prefix: 'full', modelIds: ['a', 'b'], batchSize: 100, connections: 4, pointsPerSecond: 4000 },
    });
    onTestFinished(() => load.stop());
    await waitFor('points to flow', () => load.points('acknowledged') > 1000);
    await platform.stack.influxdb.kill();
    await waitFor('both spools to be full', () => refused().length > 50, 120_000);
    const kept = load.points('acknowledged');
    for (const { status, headers, json } of refused()) {
      expect({ status, code: json.code }).toEqual({ status: 503, code: 'storage_unavailable' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    await platform.stack.influxdb.start();
    await waitFor('points to flow again', () => load.points('acknowledged') > kept + 5000, 120_000);
    await load.stop();
    await drained(platform, key);
    expect(reckon(load.batches, await storedIds(api))).toMatchObject(NOTHING_WRONG);
    expect((await api.must(api.get('summary'))).total_requests).toBe(load.points('acknowledged'));
    figure(
      '1 MB of spool, InfluxDB dead',
      `${refused().length} batches told to come back, none of ${load.points('acknowledged')} points lost`,
    );
  });

  test(
    'without PostgreSQL it refuses what it cannot do, and tells an alert once after that',
    { timeout: 300_000 },
    async () => {
      const sink = await HttpSink.open();
      onTestFinished(() => sink.close());
      const before = (await storedIds(api)).length;
      await api.must(api.post('channels', { name: 'hook', kind: 'webhook', url: sink.url }));
      await api.must(api.post('models', model('watched', { thresholds: { latency: 100 } })));
      const directly = platform.instances.map((url) => platform.clientOf(url, key));
      for (const one of directly) await one.must(one.get('models'));
      answers.length = 0;
      const load = new IngestLoad(api, {
        ...{ prefix: 'blind', modelIds: ['a', 'b'], batchSize: 50, connections: 2, pointsPerSecond: 500 },
      });
      onTestFinished(() => load.stop());
      await waitFor('points to flow', () => load.points('acknowledged') > 500);

      await platform.stack.postgres.kill();
      const breach = () =>
        api.post('metrics/inference', inference('watched', 'slow', { latency: 900 }), {
          headers: { 'idempotency-key': 'slow' },
        });
      expect((await breach()).status).toBe(503);
      for (const one of directly) {
        await waitFor('it to say that it is not ready', async () => (await one.get('/readyz')).status === 503);
        expect((await one.get('health')).json).toMatchObject({ status: 'degraded', services: { state: 'unhealthy' } });
      }
      // Longer than an instance believes its keys without looking.
      const endMs = performance.now() + 2 * KEYS_REFRESH_MS;
      while (performance.now() < endMs) {
        for (const one of directly) expect((await one.get('metrics/inference?model_id=a&limit=10')).status).toBe(200);
        await pause(200);
      }
      for (const path of ['summary', 'models', 'channels', 'deliveries', 'keys'])
        expect((await api.get(path)).status).toBe(503);
      const asWhom = async (other: string) => (await platform.client({ key: other }).get('metrics/inference')).status;
      expect(await asWhom(`${key}x`)).toBe(401);
      // A key that nobody knows here may have been made elsewhere.
      expect(await asWhom(key.replace(/_[^_]+_/, '_0123456789abcdef_'))).toBe(503);
      expect((await breach()).status).toBe(503);
      expect(sink.requests).toEqual([]);

      await platform.stack.postgres.start();
      for (const one of directly)
        await waitFor('it to be ready', async () => (await one.get('/readyz')).status === 200);
      const last = await waitFor('the breach to be taken', async () => {
        const answer = await breach();
        return answer.status === 201 ? answer : null;
      });
      expect(last.status).toBe(201);
      await waitFor('the notice', () => sink.requests.length > 0);
      await settledDeliveries(api);
      await load.stop();
      await drained(platform, key);
      expect(await api.must(api.get('alerts'))).toMatchObject([{ model_id: 'watched', occurrences: 1 }]);
      expect(sink.requests).toHaveLength(1);
      const told = refused();
      for (const { status, headers, json } of told) {
        expect([status, json.code]).toEqual([503, 'storage_unavailable']);
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      }
      const ids = await storedIds(api);
      expect(reckon(load.batches, ids)).toMatchObject(NOTHING_WRONG);
      expect(ids).toHaveLength(before + load.points('acknowledged') + 1);
      figure(
        'PostgreSQL dead for 10 s',
        `reads answered, ${load.points('acknowledged')} points taken, ${told.length} answers 503`,
      );
    },
  );
});
