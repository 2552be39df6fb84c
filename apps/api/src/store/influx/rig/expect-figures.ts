import { expect } from 'vitest';
import { HOUR, MINUTE, NOW } from '../../point-samples.contract.js';
import type { Point, PointStore, Range } from '../../point-store.js';

/** expectFigures holds what a store says about a range in whole minutes and hours against the points themselves. */
export async function expectFigures(store: PointStore, points: readonly Point[], range: Range): Promise<void> {
  for (const windowMs of [MINUTE, HOUR, 6 * HOUR]) {
    const windows = new Map<number, number[]>();
    for (const { timestampMs, latency } of points) {
      const start = Math.floor(timestampMs / windowMs) * windowMs;
      windows.set(start, [...(windows.get(start) ?? []), latency]);
    }
    const ask = async (stat: 'count' | 'sum' | 'max' | 'p50' | 'p99'): Promise<[number, number | null][]> => {
      const { times, groups } = await store.aggregate({ ...range, metrics: ['latency'], stat, windowMs });
      const pairs = times.map((time, i): [number, number | null] => [time, groups[0].values.latency[i]]);
      return pairs.filter(([, value]) => value !== null);
    };
    const exact = (reduce: (values: number[]) => number): [number, number][] =>
      [...windows].map(([time, values]): [number, number] => [time, reduce(values)]).sort(([a], [b]) => a - b);
    expect(await ask('count')).toEqual(exact((values) => values.length));
    expect(await ask('sum')).toEqual(exact((values) => values.reduce((sum, value) => sum + value, 0)));
    expect(await ask('max')).toEqual(exact((values) => Math.max(...values)));
    for (const [stat, q] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const wanted = new Map(exact((values) => values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1]));
      const found = await ask(stat);
      expect(found.map(([time]) => time)).toEqual([...wanted.keys()]);
      for (const [time, value] of found) {
        const exactly = wanted.get(time) ?? NaN;
        expect(Math.abs((value ?? NaN) - exactly)).toBeLessThanOrEqual(exactly * 0.0101);
      }
    }
  }
}

/** wholeHours is the range of the last hours of a model that ends with the hour after NOW. */
export function wholeHours(hours: number): Range {
  return { project: 'shop', modelId: 'ranker', sinceMs: NOW - hours * HOUR, untilMs: NOW + HOUR };
}
