import { describe, expect, it } from 'vitest';
import { quantity, tableOf } from './table.js';

describe('tableOf', () => {
  it('shows the ratio to the target and whether it was met, in either direction', () => {
    const table = tableOf([
      { id: 'a', name: 'rate', value: 300_000, unit: 'points/s', target: { atLeast: 150_000 } },
      { id: 'b', name: 'time', value: 30, unit: 'ms', target: { atMost: 25 } },
      { id: 'c', name: 'other', value: 1.5, unit: '' },
    ]);
    expect(table.split('\n')).toEqual([
      'figure          measured               target  of target',
      '-'.repeat(64),
      'rate    300,000 points/s  >= 150,000 points/s     2.00 x     met',
      'time             30.0 ms             <= 25 ms     1.20 x  MISSED',
      'other               1.50',
    ]);
  });
});

describe('quantity', () => {
  it.each([
    [1234567.8, 'points/s', '1,234,568 points/s'],
    [12.34, 'ms', '12.3 ms'],
    [1.234, 'ms', '1.23 ms'],
    [0.01234, '', '0.012'],
    [NaN, 'ms', 'none'],
  ])('writes %d %s as %s', (value, unit, text) => {
    expect(quantity(value, unit)).toBe(text);
  });
});
