import { describe, expect, it } from 'vitest';
import { medianOf, spreadOf } from './percentiles.js';

describe('spreadOf', () => {
  it('answers nearest ranks whatever the order of the samples', () => {
    const samples = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(spreadOf(samples)).toEqual({ count: 200, mean: 100.5, p50: 100, p90: 180, p99: 198, max: 200 });
  });

  it('answers the only sample for every rank', () => {
    expect(spreadOf([7])).toEqual({ count: 1, mean: 7, p50: 7, p90: 7, p99: 7, max: 7 });
  });

  it('answers no figure for no samples', () => {
    expect(spreadOf([])).toEqual({ count: 0, mean: NaN, p50: NaN, p90: NaN, p99: NaN, max: NaN });
  });
});

describe('medianOf', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[5], 5],
    [[], NaN],
  ])('of %j is %d', (samples, median) => {
    expect(medianOf(samples)).toBe(median);
  });
});
