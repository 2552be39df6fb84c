import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../rig/manual-clock.js';
import { KeyLimit, limitHeaders } from './key-limit.js';

describe('KeyLimit', () => {
  it('lets a minute of requests through at once, then one each time that one is refilled', () => {
    const clock = new ManualClock();
    const limit = new KeyLimit(60, clock.steadyMs);
    for (let i = 0; i < 60; i++)
      expect(limit.take('k')).toMatchObject({ allowed: true, remaining: 59 - i, retryAfterS: 0 });
    expect(limit.take('k')).toEqual({ allowed: false, limit: 60, remaining: 0, resetS: 60, retryAfterS: 1 });
    clock.pass(999);
    expect(limit.take('k')?.allowed).toBe(false);
    clock.pass(1);
    expect(limit.take('k')?.allowed).toBe(true);
    expect(limit.take('k')?.allowed).toBe(false);
  });

  it('tells how long to wait where a second is not enough', () => {
    const clock = new ManualClock();
    const limit = new KeyLimit(2, clock.steadyMs);
    limit.take('k');
    limit.take('k');
    expect(limit.take('k')).toMatchObject({ allowed: false, retryAfterS: 30 });
    clock.pass(29_999);
    expect(limit.take('k')).toMatchObject({ allowed: false, retryAfterS: 1 });
    clock.pass(1);
    expect(limit.take('k')).toMatchObject({ allowed: true });
  });

  it('counts each key on its own, and limits none when the limit is 0', () => {
    const limit = new KeyLimit(1, () => 0);
    expect([limit.take('a')?.allowed, limit.take('b')?.allowed, limit.take('a')?.allowed]).toEqual([true, true, false]);
    expect(new KeyLimit(0, () => 0).take('a')).toBeNull();
  });

  it('forgets keys that were not used for a while, which changes nothing for them', () => {
    const step = fc.record({ passMs: fc.nat(100_000), key: fc.nat(30), requests: fc.nat(6) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 200 }), (perMinute, steps) => {
        const clock = new ManualClock();
        const limit = new KeyLimit(perMinute, clock.steadyMs);
        const buckets = new Map<number, { tokens: number; atMs: number }>(); // never forgotten
        for (const { passMs, key, requests } of steps) {
          clock.pass(passMs);
          const nowMs = clock.steadyMs();
          const kept = buckets.get(key) ?? { tokens: perMinute, atMs: nowMs };
          for (let i = 0; i < requests; i++) {
            kept.tokens = Math.min(perMinute, kept.tokens + ((nowMs - kept.atMs) / 60_000) * perMinute);
            kept.atMs = nowMs;
            const allowed = kept.tokens >= 1;
            if (allowed) kept.tokens -= 1;
            expect(limit.take(`k${key}`)).toMatchObject({ allowed, remaining: Math.floor(kept.tokens) });
            buckets.set(key, kept);
          }
        }
        clock.pass(60_000);
        limit.take('last');
        expect(limit.keys).toBe(1);
      }),
      { numRuns: 200 },
    );
  });

  it('is not moved by the wall clock', () => {
    const clock = new ManualClock();
    const limit = new KeyLimit(1, clock.steadyMs);
    limit.take('k');
    clock.jump(3_600_000);
    expect(limit.take('k')?.allowed).toBe(false);
  });

  it('never lets more through than a burst and what was refilled, nor less than that', () => {
    const step = fc.record({ passMs: fc.integer({ min: 0, max: 20_000 }), requests: fc.integer({ min: 0, max: 30 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.array(step, { maxLength: 50 }), (perMinute, steps) => {
        const clock = new ManualClock();
        const limit = new KeyLimit(perMinute, clock.steadyMs);
        let tokens = perMinute;
        for (const { passMs, requests } of steps) {
          clock.pass(passMs);
          tokens = Math.min(perMinute, tokens + (passMs / 60_000) * perMinute);
          let allowed = 0;
          for (let i = 0; i < requests; i++) {
            const outcome = limit.take('k');
            if (outcome?.allowed) allowed++;
            expect(outcome?.remaining).toBeGreaterThanOrEqual(0);
            expect(outcome?.resetS).toBeLessThanOrEqual(60);
            if (!outcome?.allowed) expect(outcome?.retryAfterS).toBeGreaterThanOrEqual(1);
          }
          // Rounding may put the last token to either side.
          expect(Math.abs(allowed - Math.min(requests, Math.floor(tokens)))).toBeLessThanOrEqual(
            Number(tokens % 1 < 1e-6 || tokens % 1 > 1 - 1e-6),
          );
          tokens -= allowed;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('limitHeaders', () => {
  it('tells the limit in the fields of the standard and in the older ones', () => {
    expect(limitHeaders({ allowed: true, limit: 600, remaining: 599, resetS: 1, retryAfterS: 0 })).toEqual({
      'ratelimit-policy': '"key";q=600;w=60',
      ratelimit: '"key";r=599;t=1',
      'x-ratelimit-limit': '600',
      'x-ratelimit-remaining': '599',
      'x-ratelimit-reset': '1',
    });
  });
});
