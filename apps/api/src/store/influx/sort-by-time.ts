import type { Point } from '../point-store.js';

/** A sort key is a time with the place of its point in the lowest digits: both together are exact up to 2^53. */
const PLACES = 2 ** 20;
const MAX_SPAN_MS = 2 ** 33;

/**
 * sortByTime answers points in the order of their times, those of one ms as they come. InfluxDB sorts what it holds of a
 * series unless it came in order, with comparisons that cost more than these: a batch is a few requests, each with rising
 * times.
 */
export function sortByTime(points: readonly Point[]): readonly Point[] {
  let isSorted = true;
  let first = Infinity;
  let last = -Infinity;
  for (const { timestampMs } of points) {
    if (timestampMs < last) isSorted = false;
    else last = timestampMs;
    if (timestampMs < first) first = timestampMs;
  }
  if (isSorted) return points;
  if (points.length > PLACES || last - first >= MAX_SPAN_MS)
    return points.toSorted((a, b) => a.timestampMs - b.timestampMs);
  const keys = new Float64Array(points.length);
  for (let i = 0; i < keys.length; i++) keys[i] = ((points[i]?.timestampMs ?? 0) - first) * PLACES + i;
  keys.sort();
  return Array.from(keys, (key) => {
    const point = points[key % PLACES];
    if (!point) throw new RangeError('a time is not a whole number of ms');
    return point;
  });
}
