import { openRedis } from '@tidemark/redis/open';
import { canRun, startRedis } from '@tidemark/servers';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../rig/until.js';
import { DeliveryJobs } from './delivery-jobs.js';
import { Progress } from './progress.js';

it.skipIf(!canRun('redis-server'))('a consumer is dead when jobs wait and nothing moves, and not before', async () => {
  const server = await startRedis();
  const link = openRedis({ url: server.url, role: 'producer', onFault: () => undefined });
  const jobs = new DeliveryJobs(link, '{p}');
  onTestFinished(async () => {
    await jobs.close();
    await link.close();
    await server.close();
  });
  await link.whenUp(10_000);
  let now = 0;
  const progress = new Progress({ link, prefix: '{p}', steadyMs: () => now, aliveMs: 60_000 });
  onTestFinished(() => progress.stop());
  now = 1_000_000;
  await progress.look();
  expect([progress.depth, progress.isAlive()]).toEqual([{ waiting: 0, active: 0 }, true]);

  await jobs.add([
    { id: 'a', project: 'p' },
    { id: 'b', project: 'p' },
  ]);
  await jobs.add([{ id: 'a', project: 'p' }]);
  await progress.look();
  expect([progress.depth, progress.isAlive()]).toEqual([{ waiting: 2, active: 0 }, true]);
  now += 59_999;
  expect(progress.isAlive()).toBe(true);
  progress.note();
  now += 59_999;
  expect(progress.isAlive()).toBe(true);
  now += 1;
  expect(progress.isAlive()).toBe(false);

  await server.kill();
  await until(() => !link.isUp, 'a dead Redis');
  await progress.look();
  expect([progress.depth, progress.isAlive()]).toEqual([null, true]);
  await server.start();
  await link.whenUp(10_000);
  await until(async () => {
    await progress.look();
    return progress.depth?.waiting === 2;
  }, 'the jobs again');
});
