import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPoint } from '../../rig/points.js';
import { NOON } from '../../rig/manual-clock.js';
import { sortByTime } from './sort-by-time.js';

const pointsAt = (times: readonly number[]) => times.map((ms, seq) => aPoint({ seq, timestampMs: NOON + ms }));

describe('sortByTime', () => {
  it.each([
    ['of one day', 86_400_000],
    ['as far apart as the short way can tell', 2 ** 33 - 1],
    ['a ms further apart', 2 ** 33],
    ['of a year', 366 * 86_400_000],
  ])('puts points %s in the order of their times, and of one ms as they came', (_, spanMs) => {
    const times = fc.array(fc.oneof(fc.integer({ min: -spanMs, max: 0 }), fc.integer({ min: -3, max: 0 })));
    fc.assert(
      fc.property(times, (drawn) => {
        const points = pointsAt([-spanMs, 0, ...drawn]);
        const expected = points.toSorted((a, b) => a.timestampMs - b.timestampMs || a.seq - b.seq);
        expect(sortByTime(points)).toEqual(expected);
      }),
    );
  });

  it('puts a million points in order, and more', () => {
    for (const count of [2 ** 20, 2 ** 20 + 1]) {
      const point = aPoint({ seq: 1, timestampMs: NOON + 1 });
      const points = Array<typeof point>(count - 1).fill(point);
      const last = aPoint({ seq: 2, timestampMs: NOON });
      const sorted = sortByTime([...points, last]);
      expect([sorted.length, sorted[0]]).toEqual([count, last]);
      expect(sorted.slice(1).every((one) => one === point)).toBe(true);
    }
  });

  it('loses no point without a word whose time is none', () => {
    const points = [aPoint({ seq: 1, timestampMs: NOON + 1.3 }), aPoint({ seq: 2, timestampMs: NOON })];
    expect(() => sortByTime(points)).toThrow(RangeError);
  });

  it('gives back what is in order as it is', () => {
    const points = pointsAt([1, 1, 2, 5]);
    expect(sortByTime(points)).toBe(points);
    expect(sortByTime([])).toEqual([]);
  });
});
