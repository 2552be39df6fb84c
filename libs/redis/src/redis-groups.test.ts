import { canRun, type RedisGroup, startRedisCluster, startRedisSentinel } from '@tidemark/servers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { waitFor } from './rig/wait-for.js';
import { openRedis, type RedisFault } from './open-redis.js';

describe.skipIf(!canRun('redis-server'))('openRedis behind Sentinel', () => {
  let group: RedisGroup;
  beforeAll(async () => {
    group = await startRedisSentinel();
  });
  afterAll(() => group.close());

  it('finds the master, and the next one when it dies', async () => {
    const faults: RedisFault[] = [];
    const link = openRedis({ url: group.url, role: 'producer', onFault: (fault) => faults.push(fault) });
    onTestFinished(() => link.close());
    expect(await link.whenUp(10_000)).toBe(true);
    expect(await link.client.set('k', 'v')).toBe('OK');
    await group.servers[0]?.kill();
    const written = () =>
      link.client.set('k', 'w').then(
        () => true,
        () => false,
      );
    await waitFor('the next master', written, 30_000);
    expect(await link.client.get('k')).toBe('w');
    expect(faults.map(({ kind }) => kind)).toEqual(['away', 'back']);
  });
});

describe.skipIf(!canRun('redis-server'))('openRedis on a Cluster', () => {
  let group: RedisGroup;
  beforeAll(async () => {
    group = await startRedisCluster();
  });
  afterAll(() => group.close());

  it('reaches every slot from any node, and hears what is published', async () => {
    const heard: string[] = [];
    const onFault = (): void => undefined;
    const link = openRedis({ url: group.url, role: 'producer', onFault });
    const listener = openRedis({ url: group.url, role: 'subscriber', onFault });
    onTestFinished(async () => void (await Promise.all([link.close(), listener.close()])));
    expect(await link.whenUp(10_000)).toBe(true);
    listener.client.on('message', (_channel: string, text: string) => heard.push(text));
    await listener.client.subscribe('news');
    for (let i = 0; i < 50; i += 1) expect(await link.client.set(`k${i}`, String(i))).toBe('OK');
    for (let i = 0; i < 50; i += 1) expect(await link.client.get(`k${i}`)).toBe(String(i));
    await link.client.publish('news', 'hello');
    await waitFor('news', () => heard.length === 1);
  });
});
