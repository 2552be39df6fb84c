import { expect, it } from 'vitest';
import { rowsOf } from './influx-peer.js';

it('takes the rows of all results together, and of an answer without any none', () => {
  const series = (values: unknown[][]) => ({ series: [{ name: 'a', values }] });
  expect(rowsOf({ results: [series([['a', 1]]), {}, series([['b', 2]])] })).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
  expect(rowsOf({ results: [] })).toEqual([]);
  expect(rowsOf('no')).toEqual([]);
});
