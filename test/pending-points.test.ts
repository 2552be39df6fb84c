import { canRun } from '@tidemark/servers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Client } from './rig/client.js';
import { inference } from './rig/fixtures.js';
import { ProductionPlatform } from './rig/production-platform.js';
import { waitFor } from './rig/wait-for.js';

const HEADER = 'x-tidemark-pending-points';
const READS = [
  'metrics/inference?model_id=m',
  'metrics/drift',
  'metrics/aggregated?model_id=m',
  'summary',
  'export/inference',
];

describe.skipIf(!canRun('postgres', 'redis-server', 'influxd', 'nginx'))('points that wait in a spool', () => {
  test(
    'are told of with every read of every instance until they are stored, also when their instance is dead',
    {
      timeout: 300_000,
    },
    async () => {
      const platform = await ProductionPlatform.open({});
      onTestFinished(() => platform.close());
      const { stack } = platform;
      const [holding, reading] = stack.apis;
      if (!holding || !reading) throw new Error('there are not two instances');
      const [holder, reader] = [holding, reading].map(({ url }) => new Client({ url: () => url }));
      if (!holder || !reader) throw new Error('unreachable');
      onTestFinished(() => [holder, reader].forEach((one) => one.close()));
      const told = async (client: Client): Promise<unknown> => (await client.get('summary')).headers[HEADER];

      await holder.must(holder.post('metrics/inference', inference('m', 'stored')));
      for (const path of READS) {
        const answer = await reader.get(path);
        expect([path, answer.status, answer.headers[HEADER]]).toEqual([path, 200, undefined]);
      }
      expect((await reader.get('health')).json).toMatchObject({ pending_points: 0, pending_since: null });

      await stack.influxdb.kill();
      const sentMs = Date.now();
      const metrics = Array.from({ length: 7 }, (_, i) => inference('m', `waits-${i}`));
      await holder.must(holder.post('metrics/inference/batch', { metrics }));
      await waitFor(
        'the other instance to hear of it',
        async () => (await reader.get('health')).json.pending_points === 7,
        30_000,
      );
      await holding.kill();
      await stack.influxdb.start();
      await waitFor('an answer', async () => (await reader.get('summary')).status === 200, 60_000);
      for (const path of READS) {
        const answer = await reader.get(path);
        expect([path, answer.status, answer.headers[HEADER]]).toEqual([path, 200, '7']);
      }
      expect((await reader.get('export/alerts')).headers[HEADER]).toBeUndefined();
      expect((await reader.must(reader.get('summary'))).total_requests).toBe(1);
      const health = (await reader.get('health')).json;
      expect(health).toMatchObject({ pending_points: 7 });
      expect(Math.abs(Date.parse(health.pending_since) - sentMs)).toBeLessThan(30_000);

      await holding.start();
      await waitFor('nothing to wait', async () => (await told(reader)) === undefined, 60_000);
      expect((await reader.must(reader.get('summary'))).total_requests).toBe(8);
      expect(await told(holder)).toBeUndefined();
    },
  );
});
