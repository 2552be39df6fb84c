import { canRun } from '@tidemark/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../rig/manual-clock.js';
import { useRedis } from '../rig/use-redis.js';
import { KeyLimit } from './key-limit.js';
import { SharedKeyLimit } from './shared-key-limit.js';

describe.skipIf(!canRun('redis-server'))('SharedKeyLimit', () => {
  const redis = useRedis();
  const limitOf = (perMinute: number, prefix: string, steadyMs = () => performance.now()): SharedKeyLimit =>
    new SharedKeyLimit({ link: redis.link, local: new KeyLimit(perMinute, steadyMs), perMinute, steadyMs, prefix });
  /** What refilling can have added since. */
  const refilled = (perMinute: number, sinceMs: number): number =>
    Math.ceil(((performance.now() - sinceMs) / 60_000) * perMinute);

  it('lets two instances together through what one may, however they share it', async () => {
    const perMinute = 120;
    const both = [limitOf(perMinute, 'a:'), limitOf(perMinute, 'a:')] as const;
    const beganMs = performance.now();
    const takes = Array.from({ length: 400 }, async (_, i) => await both[i % 4 === 0 ? 0 : 1].take('k'));
    const allowed = (await Promise.all(takes)).filter((outcome) => outcome?.allowed).length;
    expect(allowed).toBeLessThanOrEqual(perMinute + refilled(perMinute, beganMs));
    // Each instance may still hold a lease and a half (2 tokens each here).
    expect(allowed).toBeGreaterThanOrEqual(perMinute - 2 * 3);
  });

  it('answers most requests without waiting, and refuses without asking again', async () => {
    const limit = limitOf(6000, 'b:');
    await limit.take('k');
    let waited = 0;
    for (let i = 0; i < 1000; i += 1) {
      const outcome = limit.take('k');
      if (outcome instanceof Promise) waited += 1;
      expect((await outcome)?.allowed).toBe(true);
      if (i % 10 === 0) await new Promise(setImmediate);
    }
    expect(waited).toBeLessThan(100);
    const slow = limitOf(1, 'c:');
    expect(await slow.take('k')).toMatchObject({ allowed: true, limit: 1 });
    const refused = await slow.take('k');
    expect(refused).toMatchObject({ allowed: false, remaining: 0 });
    expect(refused?.retryAfterS).toBeGreaterThan(50);
    expect(refused?.retryAfterS).toBeLessThanOrEqual(60);
    expect(slow.take('k')).not.toBeInstanceOf(Promise);
  });

  it('keeps keys apart', async () => {
    const limit = limitOf(1, 'd:');
    expect([await limit.take('a'), await limit.take('b')].map((outcome) => outcome?.allowed)).toEqual([true, true]);
    expect((await limit.take('a'))?.allowed).toBe(false);
  });

  it('forgets keys that hold nothing any more, and goes on to refuse one that has used up its bucket', async () => {
    const clock = new ManualClock();
    const limit = limitOf(1, 'f:', clock.steadyMs);
    clock.pass(60_000);
    for (let i = 0; i < 100; i += 1) expect((await limit.take(`k${i}`))?.allowed).toBe(true);
    for (let i = 0; i < 100; i += 1) expect((await limit.take(`k${i}`))?.allowed).toBe(false);
    clock.pass(30_001);
    expect(limit.take('k0')).toMatchObject({ allowed: false });
    expect(limit.keys).toBe(100); // each knows for how long its bucket is empty
    clock.pass(30_001);
    const again = limit.take('k0');
    expect(limit.keys).toBe(1);
    expect((await again)?.allowed).toBe(false);
    expect((await limit.take('k1'))?.allowed).toBe(false); // known to Redis
  });

  it('keeps the limit by itself while Redis hangs or is away, counting what it let through before', async () => {
    const clock = new ManualClock();
    const limit = limitOf(60, 'e:', clock.steadyMs);
    for (let i = 0; i < 20; i += 1) await limit.take('k');
    redis.server.pause();
    onTestFinished(() => redis.server.resume());
    const outcomes = await Promise.all(Array.from({ length: 100 }, async () => await limit.take('k')));
    const allowed = outcomes.filter((outcome) => outcome?.allowed).length;
    expect(allowed).toBeGreaterThanOrEqual(39);
    expect(allowed).toBeLessThanOrEqual(42); // a token or two may have been at hand
    redis.server.resume();
    expect(await redis.link.whenUp(20_000)).toBe(true);
    expect((await limitOf(60, 'e:').take('k'))?.allowed).toBe(true);
  });
});
