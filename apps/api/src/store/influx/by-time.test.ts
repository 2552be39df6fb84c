import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPoint } from '../../rig/points.js';
import { NOON } from '../../rig/manual-clock.js';
import { byTime } from './by-time.js';

const pointsAt = (times: readonly number[]) => times.map((ms, seq) => aPoint({ seq, timestampMs: NOON + ms }));

describe('byTime', () => {
  it.each([
    ['of one day', 86_400_000],
    ['of a year, which is too long for the short way', 366 * 86_400_000],
  ])('puts points %s in the order of their times, and of one ms as they came', (_, spanMs) => {
    const times = fc.array(fc.oneof(fc.integer({ min: -spanMs, max: 0 }), fc.integer({ min: -3, max: 0 })));
    fc.assert(
      fc.property(times, (drawn) => {
        const points = pointsAt([-spanMs, 0, ...drawn]);
        const expected = points.toSorted((a, b) => a.timestampMs - b.timestampMs || a.seq - b.seq);
        expect(byTime(points)).toEqual(expected);
      }),
    );
  });

  it('gives back what is in order as it is', () => {
    const points = pointsAt([1, 1, 2, 5]);
    expect(byTime(points)).toBe(points);
    expect(byTime([])).toEqual([]);
  });
});
