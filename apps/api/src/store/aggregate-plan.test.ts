import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planAggregate, type Kept } from './aggregate-plan.js';
import { HOUR_MS, MINUTE_MS } from './rollup-id.js';

const EVERYTHING: Kept = { rawSinceMs: -Infinity, minuteSinceMs: -Infinity };
const time = fc.integer({ min: 0, max: 30 * HOUR_MS });
const windowMs = fc.constantFrom(1000, 90_000, MINUTE_MS, 5 * MINUTE_MS, 90 * MINUTE_MS, HOUR_MS, 24 * HOUR_MS);

describe('a plan', () => {
  it('covers the range without gap or overlap, coarse parts on whole buckets, while everything is kept', () => {
    fc.assert(
      fc.property(time, time, windowMs, (a, b, width) => {
        const [fromMs, toMs] = [Math.min(a, b), Math.max(a, b)];
        const { hours, minutes, raw } = planAggregate({ fromMs, toMs }, width, EVERYTHING);
        const spans = [...hours, ...minutes, ...raw].sort((x, y) => x.fromMs - y.fromMs);
        let at = fromMs;
        for (const span of spans) {
          expect(span.fromMs).toBe(at);
          expect(span.toMs).toBeGreaterThan(span.fromMs);
          at = span.toMs;
        }
        expect(at).toBe(toMs);
        for (const span of hours)
          expect([span.fromMs % HOUR_MS, span.toMs % HOUR_MS, width % HOUR_MS]).toEqual([0, 0, 0]);
        for (const span of minutes) expect([span.fromMs % MINUTE_MS, span.toMs % MINUTE_MS]).toEqual([0, 0]);
        if (width % MINUTE_MS !== 0) expect([...hours, ...minutes]).toEqual([]);
      }),
    );
  });

  it('reads no raw point and no minute from before they were dropped', () => {
    fc.assert(
      fc.property(time, time, windowMs, fc.nat({ max: 30 }), fc.nat({ max: 30 }), (a, b, width, raws, minutesKept) => {
        const kept = { rawSinceMs: raws * HOUR_MS, minuteSinceMs: Math.min(raws, minutesKept) * HOUR_MS };
        const plan = planAggregate({ fromMs: Math.min(a, b), toMs: Math.max(a, b) }, width, kept);
        for (const span of plan.raw) expect(span.fromMs).toBeGreaterThanOrEqual(kept.rawSinceMs);
        for (const span of plan.minutes) expect(span.fromMs).toBeGreaterThanOrEqual(kept.minuteSinceMs);
      }),
    );
  });

  it('gives each bucket to just one of two ranges that meet, also where only coarse rollups are left', () => {
    fc.assert(
      fc.property(time, time, time, windowMs, fc.constantFrom(0, 10, 40), (a, b, c, width, kept) => {
        const [fromMs, middleMs, toMs] = [a, b, c].sort((x, y) => x - y);
        const since = { rawSinceMs: 40 * HOUR_MS, minuteSinceMs: kept * HOUR_MS };
        const starts = (from: number, to: number): string[] => {
          const plan = planAggregate({ fromMs: from, toMs: to }, width, since);
          expect(plan.raw).toEqual([]);
          return [
            ...plan.hours.flatMap((span) => bucketsOf(span.fromMs, span.toMs, HOUR_MS).map((start) => `h${start}`)),
            ...plan.minutes.flatMap((span) => bucketsOf(span.fromMs, span.toMs, MINUTE_MS).map((start) => `m${start}`)),
          ];
        };
        const both = [...starts(fromMs, middleMs), ...starts(middleMs, toMs)];
        expect(new Set(both).size).toBe(both.length);
      }),
    );
  });
});

function bucketsOf(fromMs: number, toMs: number, width: number): number[] {
  const starts: number[] = [];
  for (let start = fromMs; start < toMs; start += width) starts.push(start);
  return starts;
}
