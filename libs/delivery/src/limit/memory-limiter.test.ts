import { describe, expect, it } from 'vitest';
import { MemoryLimiter } from './memory-limiter.js';
import { describeRateLimiter } from './rate-limiter.contract.js';

describeRateLimiter('MemoryLimiter', () => {
  let now = 0;
  return Promise.resolve({
    limiter: new MemoryLimiter({ steadyMs: () => now }),
    advance: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});

describe('MemoryLimiter', () => {
  const one = (key: string) => [{ key, max: 1, windowMs: 1000 }];

  it('remembers no more keys than it was told to, and counts those it forgets too early', async () => {
    let now = 0;
    const limiter = new MemoryLimiter({ steadyMs: () => now, maxKeys: 100 });
    for (let key = 0; key < 250; key += 1) await limiter.take(one(String(key)), 'id');
    expect(limiter.stats()).toEqual({ keys: 100, forgotten: 150 });
    now = 5000;
    for (let key = 250; key < 300; key += 1) await limiter.take(one(String(key)), 'id');
    expect(limiter.stats()).toEqual({ keys: 100, forgotten: 150 });
  });

  it('forgets the key that was used longest ago first', async () => {
    const limiter = new MemoryLimiter({ steadyMs: () => 0, maxKeys: 2 });
    await limiter.take(one('old'), '1');
    await limiter.take(one('busy'), '1');
    await limiter.take(one('old'), '1');
    await limiter.take(one('new'), '1');
    expect(await limiter.take(one('old'), '2')).toMatchObject({ allowed: false });
  });

  it('counts what it is told of an earlier life', async () => {
    const now = 100;
    const limiter = new MemoryLimiter({ steadyMs: () => now });
    limiter.seed(one('a'), 'before', 400);
    limiter.seed(one('b'), 'before', 1000);
    expect(await limiter.take(one('a'), 'after')).toEqual({ allowed: false, key: 'a', retryAfterMs: 600 });
    expect(await limiter.take(one('b'), 'after')).toEqual({ allowed: true });
  });

  it('takes a seeded place for its own id, and seeds in any order', async () => {
    const limit = [{ key: 'a', max: 2, windowMs: 1000 }];
    const limiter = new MemoryLimiter({ steadyMs: () => 0 });
    limiter.seed(limit, 'newer', 100);
    limiter.seed(limit, 'older', 900);
    limiter.seed(limit, 'oldest', 950);
    expect(await limiter.take(limit, 'newer')).toEqual({ allowed: true });
    expect(await limiter.take(limit, 'next')).toMatchObject({ allowed: false, retryAfterMs: 100 });
  });
});
