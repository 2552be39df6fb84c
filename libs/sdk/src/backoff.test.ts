import { describe, expect, it } from 'vitest';
import { backoffMs, parseRetryAfter } from './backoff.js';

const RANGE = { baseMs: 500, maxMs: 30_000 };

describe('backoffMs', () => {
  it.each([
    [1, 0, 250],
    [1, 1, 500],
    [2, 0, 500],
    [2, 1, 1_000],
    [3, 0.5, 1_500],
    [7, 1, 30_000],
    [5_000, 1, 30_000],
  ])('answers for failure %i and randomness %f a wait of %i ms', (failures, random, expected) => {
    expect(backoffMs(failures, RANGE, () => random)).toBe(expected);
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');

  it.each([
    ['0', 0],
    ['5', 5_000],
    [' 7 ', 7_000],
    ['1.5', 1_500],
    ['Sun, 01 Mar 2026 12:00:30 GMT', 30_000],
    ['Sunday, 01-Mar-26 12:00:30 GMT', 30_000],
    ['Sun Mar  1 12:00:30 2026 GMT', 30_000],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
  ])('reads "%s" as %i ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });

  it.each([[null], [''], ['-5'], ['soon'], ['5 apples'], ['1e3'], ['Infinity'], ['2026-03-01T12:00:30Z'], ['Sun']])(
    'makes nothing of %j',
    (header) => {
      expect(parseRetryAfter(header, now)).toBeUndefined();
    },
  );
});
