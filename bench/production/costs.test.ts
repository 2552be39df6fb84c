import { expect, it } from 'vitest';
import { costAPoint, costsOf, totalOf } from './costs.js';

it('gives each part what it took between two readings, in µs a point', () => {
  const before = costsOf(() => 100);
  const after = { ...before, api: 300, redis: 150 };
  const costs = costAPoint(before, after, 1000);
  expect(costs).toEqual({ api: 200, nginx: 0, influxdb: 0, postgres: 0, redis: 50, worker: 0 });
  expect(totalOf(costs)).toBe(250);
});
