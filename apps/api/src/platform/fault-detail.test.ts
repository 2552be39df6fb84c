import { expect, it } from 'vitest';
import { faultDetail } from './fault-detail.js';

it.each([
  [1, '/latency must be above 0'],
  [2, '/latency must be above 0, and 1 more fault, see errors'],
  [3, '/latency must be above 0, and 2 more faults, see errors'],
])('the detail of %i faults tells the first, and how many others there are', (faults, wanted) => {
  expect(faultDetail('/latency', 'must be above 0', faults)).toBe(wanted);
});
