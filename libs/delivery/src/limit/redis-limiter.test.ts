import { fileURLToPath } from 'node:url';
import { openRedis, type RedisLink } from '@tidemark/redis/open';
import { canRun, type LocalServer, Process, startRedis, startRedisCluster } from '@tidemark/servers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../rig/until.js';
import { MemoryLimiter } from './memory-limiter.js';
import { describeRateLimiter } from './rate-limiter.contract.js';
import { RedisLimiter } from './redis-limiter.js';

const PROCESS = fileURLToPath(new URL('../rig/limiter-process.mjs', import.meta.url));
const hour = 3_600_000;

describe.skipIf(!canRun('redis-server'))('RedisLimiter', () => {
  let server: LocalServer;
  let link: RedisLink;
  let benches = 0;
  beforeAll(async () => {
    server = await startRedis();
    link = openRedis({ url: server.url, role: 'producer', onFault: () => undefined });
    await link.whenUp(10_000);
  });
  afterAll(async () => {
    await link.close();
    await server.close();
  });
  const away = (): RedisLink => {
    const nowhere = openRedis({ url: 'redis://127.0.0.1:1', role: 'producer', onFault: () => undefined });
    onTestFinished(() => nowhere.close());
    return nowhere;
  };
  const limiterOn = (to: RedisLink, prefix: string): RedisLimiter =>
    new RedisLimiter({ link: to, prefix, local: new MemoryLimiter({ steadyMs: () => performance.now() }) });

  // The clock of the contract is a number in Redis itself, read by the script as it reads the server's own. The local
  // limiter starts empty for each call, so that it is Redis that is asked.
  describeRateLimiter('RedisLimiter', async () => {
    const prefix = `{t}${(benches += 1)}:`;
    const clock = `tonumber(redis.call('GET', '${prefix}clock'))`;
    await link.client.set(`${prefix}clock`, 1_760_000_000_000_000);
    return {
      limiter: {
        take: (limits, id) =>
          new RedisLimiter({ link, prefix, clock, local: new MemoryLimiter({ steadyMs: () => 0 }) }).take(limits, id),
      },
      advance: async (ms) => void (await link.client.incrby(`${prefix}clock`, ms * 1000)),
      close: () => Promise.resolve(),
    };
  });

  // The same with a local limiter that lives as long, by the same clock: the two never contradict each other.
  describeRateLimiter('RedisLimiter over its local limiter', async () => {
    const prefix = `{t}${(benches += 1)}:`;
    const clock = `tonumber(redis.call('GET', '${prefix}clock'))`;
    await link.client.set(`${prefix}clock`, 1_760_000_000_000_000);
    let now = 0;
    return {
      limiter: new RedisLimiter({ link, prefix, clock, local: new MemoryLimiter({ steadyMs: () => now }) }),
      advance: async (ms) => {
        now += ms;
        await link.client.incrby(`${prefix}clock`, ms * 1000);
      },
      close: () => Promise.resolve(),
    };
  });

  describeRateLimiter('RedisLimiter without Redis', async () => {
    let now = 0;
    const local = new MemoryLimiter({ steadyMs: () => now });
    return {
      limiter: new RedisLimiter({ link: away(), local }),
      advance: (ms) => Promise.resolve(void (now += ms)),
      close: () => Promise.resolve(),
    };
  });

  it('shares one window between instances', async () => {
    const limiters = [limiterOn(link, '{t}shared:'), limiterOn(link, '{t}shared:')];
    const limit = [{ key: 'a', max: 7, windowMs: hour }];
    const takes = Array.from({ length: 100 }, (_, id) => limiters[id % 2]?.take(limit, String(id)));
    const answers = await Promise.all(takes);
    expect(answers.filter((answer) => answer?.allowed)).toHaveLength(7);
  });

  it('never lets one too many through in any window, over four processes at once', async () => {
    const [max, windowMs, forMs] = [10, 500, 3000];
    const processes = Array.from({ length: 4 }, (_, number) => {
      const args = [PROCESS, server.url, `p${number}`, String(max), String(windowMs), String(forMs)];
      return Process.start({ command: process.execPath, args });
    });
    const went: [number, number][] = [];
    let refused = 0;
    for (const one of processes) {
      const exit = await one.exited;
      expect(exit, one.output).toEqual({ code: 0, signal: null });
      for (const line of one.output
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text))) {
        if (Array.isArray(line)) went.push([Number(line[0]), Number(line[1])]);
        else refused += Number(line.refused);
      }
    }
    // A take happened between its question and its answer: these were certainly all within one window.
    for (const [fromUs] of went) {
      const inside = went.filter(([asked, answered]) => asked >= fromUs && answered < fromUs + windowMs * 1000);
      expect(inside.length).toBeLessThanOrEqual(max);
    }
    expect(went.length).toBeGreaterThanOrEqual(2 * max);
    expect(refused).toBeGreaterThan(went.length);
  });

  it('goes on locally from what it let through while Redis is dead, and tells Redis of it afterwards', async () => {
    const own = await startRedis();
    onTestFinished(() => own.close());
    const ownLink = openRedis({ url: own.url, role: 'producer', onFault: () => undefined });
    onTestFinished(() => ownLink.close());
    await ownLink.whenUp(10_000);
    const limit = [{ key: 'a', max: 5, windowMs: hour }];
    const [limiter, other] = [limiterOn(ownLink, '{t}:'), limiterOn(ownLink, '{t}:')];
    for (const id of ['1', '2']) expect(await limiter.take(limit, id)).toEqual({ allowed: true });
    await own.kill();
    await until(() => !ownLink.isUp, 'a dead Redis');
    expect(await limiter.take(limit, '3')).toEqual({ allowed: true });
    expect(await limiter.take(limit, '4')).toEqual({ allowed: true });
    expect(limiter.stats()).toEqual({ local: 2, owed: 1, forgotten: 0 });
    await own.start();
    await ownLink.whenUp(10_000);
    expect(await limiter.take(limit, '4')).toEqual({ allowed: true });
    expect(limiter.stats()).toEqual({ local: 2, owed: 0, forgotten: 0 });
    expect(await other.take(limit, '5')).toEqual({ allowed: true });
    expect(await other.take(limit, '6')).toMatchObject({ allowed: false, key: 'a' });
    expect(await limiter.take(limit, '7')).toMatchObject({ allowed: false, key: 'a' });
  });

  it('decides locally while Redis hangs, and asks it again when it answers', async () => {
    const limiter = limiterOn(link, '{t}hang:');
    const limit = [{ key: 'a', max: 2, windowMs: hour }];
    server.pause();
    onTestFinished(() => server.resume());
    expect(await limiter.take(limit, '1')).toEqual({ allowed: true });
    expect(await limiter.take(limit, '2')).toEqual({ allowed: true });
    expect(await limiter.take(limit, '3')).toMatchObject({ allowed: false });
    server.resume();
    expect(await link.whenUp(20_000)).toBe(true);
    await limiter.take([{ key: 'b', max: 1, windowMs: hour }], '1');
    expect(await limiterOn(link, '{t}hang:').take(limit, '4')).toMatchObject({ allowed: false });
  });

  it('holds a place for one window when the clock of Redis is set back, and no longer', async () => {
    const prefix = '{t}back:';
    const clock = `tonumber(redis.call('GET', '${prefix}clock'))`;
    const take = (id: string) =>
      new RedisLimiter({ link, prefix, clock, local: new MemoryLimiter({ steadyMs: () => 0 }) }).take(
        [{ key: 'a', max: 1, windowMs: 60_000 }],
        id,
      );
    await link.client.set(`${prefix}clock`, hour * 1000 * 3);
    expect(await take('1')).toEqual({ allowed: true });
    await link.client.set(`${prefix}clock`, hour * 1000);
    expect(await take('2')).toEqual({ allowed: false, key: 'a', retryAfterMs: 60_000 });
    await link.client.incrby(`${prefix}clock`, 60_000_000);
    expect(await take('2')).toEqual({ allowed: true });
  });

  it('keeps the windows of one call in one slot of a Cluster, and leaves none behind', async () => {
    const group = await startRedisCluster();
    onTestFinished(() => group.close());
    const cluster = openRedis({ url: group.url, role: 'producer', onFault: () => undefined });
    onTestFinished(() => cluster.close());
    await cluster.whenUp(10_000);
    const limiter = new RedisLimiter({
      link: cluster,
      local: new MemoryLimiter({ steadyMs: () => performance.now() }),
    });
    const limits = ['{a}', '{b}', 'c'].map((key) => ({ key, max: 1, windowMs: 1000 }));
    expect(await limiter.take(limits, '1')).toEqual({ allowed: true });
    expect(await limiter.take(limits, '2')).toMatchObject({ allowed: false });
    expect(limiter.stats().local).toBe(0);
    await until(async () => (await cluster.client.exists('{tidemark}limit:1000 c')) === 0, 'the end of the window');
  });
});
