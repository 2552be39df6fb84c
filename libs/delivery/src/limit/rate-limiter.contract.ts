import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Limit, RateLimiter } from './rate-limiter.js';

/** LimiterBench is a limiter and its clock. */
export interface LimiterBench {
  readonly limiter: RateLimiter;
  /** Moves the clock on by whole milliseconds. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

const minute = 60_000;
const limit = (key: string, max: number, windowMs = minute): Limit => ({ key, max, windowMs });

/** describeRateLimiter states what every limiter does. Each bench starts empty. */
export function describeRateLimiter(name: string, open: () => Promise<LimiterBench>): void {
  describe(`${name} as a rate limiter`, () => {
    let bench: LimiterBench;
    const take = (limits: readonly Limit[], id: string) => bench.limiter.take(limits, id);
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(async () => {
      await bench.close();
    });

    it('allows as many as the limit says and then tells how long to wait', async () => {
      expect(await take([limit('a', 2)], '1')).toEqual({ allowed: true });
      await bench.advance(10_000);
      expect(await take([limit('a', 2)], '2')).toEqual({ allowed: true });
      await bench.advance(5000);
      expect(await take([limit('a', 2)], '3')).toEqual({ allowed: false, key: 'a', retryAfterMs: 45_000 });
    });

    it('allows again when exactly the announced time has passed, and not a millisecond before', async () => {
      await take([limit('a', 1)], '1');
      await bench.advance(minute - 1);
      expect(await take([limit('a', 1)], '2')).toEqual({ allowed: false, key: 'a', retryAfterMs: 1 });
      await bench.advance(1);
      expect(await take([limit('a', 1)], '2')).toEqual({ allowed: true });
    });

    it('tells of a full window when its oldest place ends, and then when the next one does', async () => {
      const full = [limit('a', 3)];
      for (const [id, afterMs] of [10_000, 15_000, 5000].entries()) {
        expect(await take(full, String(id))).toEqual({ allowed: true });
        await bench.advance(afterMs);
      }
      expect(await take(full, 'held back')).toEqual({ allowed: false, key: 'a', retryAfterMs: 30_000 });
      await bench.advance(30_000);
      expect(await take(full, 'held back')).toEqual({ allowed: true });
      expect(await take(full, 'next')).toEqual({ allowed: false, key: 'a', retryAfterMs: 10_000 });
    });

    it('looks back from each moment instead of counting in slots', async () => {
      await bench.advance(minute - 100);
      await take([limit('a', 1)], '1');
      await bench.advance(200);
      expect(await take([limit('a', 1)], '2')).toMatchObject({ allowed: false, retryAfterMs: minute - 200 });
    });

    it('keeps keys apart', async () => {
      await take([limit('a', 1)], '1');
      expect(await take([limit('b', 1)], '2')).toEqual({ allowed: true });
    });

    it('keeps windows of different length under one key apart', async () => {
      await take([limit('a', 5, 1000), limit('a', 5, minute)], '1');
      await bench.advance(2000);
      expect(await take([limit('a', 1, 1000)], '2')).toEqual({ allowed: true });
      expect(await take([limit('a', 1, minute)], '3')).toMatchObject({ allowed: false });
    });

    it('takes under all limits or under none', async () => {
      await take([limit('full', 1)], '1');
      for (const id of ['2', '3', '4']) {
        expect(await take([limit('free', 1), limit('full', 1)], id)).toMatchObject({ allowed: false, key: 'full' });
      }
      expect(await take([limit('free', 1)], '5')).toEqual({ allowed: true });
    });

    it('names the limit that makes one wait longest', async () => {
      await take([limit('short', 1, 1000), limit('long', 1, minute)], '1');
      expect(await take([limit('short', 1, 1000), limit('long', 1, minute)], '2')).toEqual({
        allowed: false,
        key: 'long',
        retryAfterMs: minute,
      });
    });

    it('does not use up a place by refusing', async () => {
      await take([limit('a', 1)], '1');
      await bench.advance(minute - 10);
      await take([limit('a', 1)], '2');
      await bench.advance(10);
      expect(await take([limit('a', 1)], '2')).toEqual({ allowed: true });
    });

    it('allows the same id again without a second place', async () => {
      const limits = [limit('a', 2)];
      for (let attempt = 0; attempt < 5; attempt += 1) expect(await take(limits, 'same')).toEqual({ allowed: true });
      expect(await take(limits, 'other')).toEqual({ allowed: true });
      expect(await take(limits, 'third')).toMatchObject({ allowed: false });
    });

    it('moves the place of an id that comes again to its last time', async () => {
      await take([limit('a', 1)], 'same');
      await bench.advance(50_000);
      await take([limit('a', 1)], 'same');
      await bench.advance(50_000);
      expect(await take([limit('a', 1)], 'other')).toMatchObject({ allowed: false, retryAfterMs: 10_000 });
    });

    it('decides one at a time, however many ask at once', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, id) => take([limit('a', 7)], String(id))));
      expect(answers.filter(({ allowed }) => allowed)).toHaveLength(7);
    });

    it.each([limit('a', 0), limit('a', 1.5), limit('a', -1), limit('a', 1, 0), limit('a', 1, NaN), limit('a', NaN)])(
      'throws for %j',
      async (senseless) => {
        await expect(async () => take([senseless], '1')).rejects.toThrow(RangeError);
      },
    );

    it('never lets more than max ids through in any window, and wastes no place', async () => {
      const step = fc.record({
        wait: fc.integer({ min: 0, max: 40 }),
        id: fc.integer({ min: 0, max: 30 }),
        keys: fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { minLength: 1 }),
      });
      const limits: Record<string, Limit> = { x: limit('x', 1, 50), y: limit('y', 3, 100), z: limit('z', 5, 70) };
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const fresh = await open();
          const went: { key: string; id: string; at: number }[] = [];
          let now = 0;
          for (const { wait, id: number, keys } of steps) {
            await fresh.advance(wait);
            now += wait;
            const id = String(number);
            const wanted = keys.flatMap((key) => limits[key] ?? []);
            // The model: distinct ids, other than this one, that went out in the window that ends now.
            const fits = wanted.every(({ key, max, windowMs }) => {
              const inside = went.filter((one) => one.key === key && now - one.at < windowMs && one.id !== id);
              return new Set(inside.map((one) => one.id)).size < max;
            });
            const answer = await fresh.limiter.take(wanted, id);
            expect(answer.allowed).toBe(fits);
            if (answer.allowed) went.push(...keys.map((key) => ({ key, id, at: now })));
          }
          for (const { key, at } of went) {
            const { max = 0, windowMs = 0 } = limits[key] ?? {};
            const window = went.filter((one) => one.key === key && one.at >= at && one.at < at + windowMs);
            expect(new Set(window.map(({ id }) => id)).size).toBeLessThanOrEqual(max);
          }
          await fresh.close();
        }),
        { numRuns: 100 },
      );
    });
  });
}
