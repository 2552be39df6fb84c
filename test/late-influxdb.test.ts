import { canRun } from '@tidemark/servers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Client } from './rig/client.js';
import { figure } from './rig/figure.js';
import { inference, model } from './rig/fixtures.js';
import { IngestLoad } from './rig/ingest-load.js';
import { LiveListener } from './rig/live-listener.js';
import { OwnMetrics } from './rig/own-metrics.js';
import { ProductionPlatform } from './rig/production-platform.js';
import { HttpSink } from './rig/receivers/http-sink.js';
import { NOTHING_WRONG, reckon, storedIds } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

const READS = [
  'metrics/inference?model_id=watched',
  'metrics/drift',
  'metrics/aggregated?model_id=watched&metric=latency',
  'summary',
  'export/inference',
  'export/drift?format=ndjson',
];

describe.skipIf(!canRun('postgres', 'redis-server', 'influxd', 'nginx'))('without InfluxDB at the start', () => {
  test(
    'every instance takes points, tells of alerts and follows, and each point is there once in the end',
    { timeout: 300_000 },
    async () => {
      const platform = await ProductionPlatform.open({});
      onTestFinished(() => platform.close());
      const { stack } = platform;
      const api = platform.client();
      const sink = await HttpSink.open();
      onTestFinished(() => sink.close());
      await api.must(api.post('channels', { name: 'sink', kind: 'webhook', url: `${sink.url}/hook` }));
      await api.must(api.post('models', model('watched', { thresholds: { latency: 500 } })));
      const load = (prefix: string) =>
        new IngestLoad(api, {
          ...{ prefix, modelIds: ['alpha', 'beta'], batchSize: 50, connections: 4, pointsPerSecond: 2000 },
        });
      const before = load('before');
      await waitFor('points in InfluxDB', () => before.points('acknowledged') > 1000);
      await before.stop();

      await stack.influxdb.kill();
      await Promise.all(stack.apis.map((one) => one.kill()));
      const beganMs = performance.now();
      await Promise.all(stack.apis.map((one) => one.start()));
      const startMs = performance.now() - beganMs;
      const instances = stack.apis.map(({ url }) => new Client({ url: () => url }));
      onTestFinished(() => instances.forEach((one) => one.close()));

      for (const [index, instance] of instances.entries()) {
        const ready = await instance.get('/readyz');
        expect([ready.status, ready.json.status]).toEqual([200, 'ready']);
        const health = (await instance.get('health')).json;
        expect(health).toMatchObject({ status: 'degraded', services: { influxdb: 'unhealthy', state: 'healthy' } });
        for (const path of READS) {
          const answer = await instance.get(path);
          expect([path, answer.status]).toEqual([path, 503]);
          expect(answer.headers['retry-after']).toBe('1');
          expect(answer.headers['content-type']).toContain('application/problem+json');
          expect(answer.json).toMatchObject({ code: 'storage_unavailable', detail: expect.stringContaining('points') });
        }
        const listener = await LiveListener.open(stack.apis[index]?.url ?? '', {});
        await listener.follow();
        const id = `live${index}`;
        expect((await instance.post('metrics/inference', inference('watched', id))).status).toBe(201);
        await waitFor('the point in the live feed', () =>
          listener.items('inference').some((one) => one.request_id === id),
        );
        listener.close();
      }
      await waitFor('nginx to take the instances back', async () => (await api.get('/readyz')).status === 200);
      expect((await api.post('metrics/inference', inference('watched', 'slow', { latency: 900 }))).status).toBe(201);
      await waitFor('the notice', () => sink.requests.length === 1, 30_000);

      const during = load('during');
      await waitFor('points in the spools', () => during.points('acknowledged') > 1000);
      // A further life without InfluxDB numbers its points beyond those that its own spool holds.
      await stack.apis[0]?.kill();
      await stack.apis[0]?.start();
      const until = during.points('acknowledged') + 1000;
      await waitFor('more points in the spools', () => during.points('acknowledged') > until);
      await during.stop();

      await stack.influxdb.start();
      const backMs = performance.now();
      const isEmpty = async (): Promise<boolean> => (await OwnMetrics.of(platform)).sum('tidemark_spool_points') === 0;
      await waitFor('the spools to be drained', isEmpty, 60_000);
      figure(
        'InfluxDB away at the start',
        `up after ${(startMs / 1000).toFixed(1)} s; drained ${((performance.now() - backMs) / 1000).toFixed(1)} s after its return`,
      );
      await waitFor('health', async () => (await instances[0]?.get('health'))?.json.status === 'healthy', 30_000);
      const ids = await storedIds(api);
      const others = ids.filter((id) => !id.includes('#')).sort();
      expect(others).toEqual(['live0', 'live1', 'slow']);
      const batches = [...before.batches, ...during.batches];
      const { lost, doubled } = reckon(
        batches,
        ids.filter((id) => id.includes('#')),
      );
      expect({ lost, doubled }).toMatchObject({ lost: NOTHING_WRONG.lost, doubled: NOTHING_WRONG.doubled });
      for (const instance of instances) {
        expect((await instance.must(instance.get('summary'))).total_requests).toBe(ids.length);
      }
      expect(sink.requests).toHaveLength(1);
      expect(await api.must(api.get('alerts'))).toHaveLength(1);
    },
  );
});
