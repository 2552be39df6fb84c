/** MINUTE_MS and HOUR_MS are the widths of the buckets that rollups are kept for. */
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** Resolution is the width of a rollup's bucket. */
export type Resolution = 'minute' | 'hour';

/** Owner is whose points a rollup sums up: one series, or all series of a model. */
export interface Owner {
  readonly kind: 'series' | 'model';
  readonly id: number;
}

/** MAX_OWNER_ID is the highest id of a series or model that a rollup's id has room for. */
export const MAX_OWNER_ID = 2 ** 23 - 1;

const BUCKETS = 2 ** 28;

/**
 * rollupId is the row of a rollup: owner, resolution and number of the bucket, side by side in the 53 bits of a safe
 * integer, so that the windows of one owner lie next to each other in the file. Buckets go 255 years to both sides of
 * 1970 by the minute; times further out fall into the outermost.
 */
export function rollupId(owner: Owner, resolution: Resolution, timeMs: number): number {
  const bucket = Math.floor(timeMs / widthOf(resolution)) + BUCKETS / 2;
  return firstId(owner, resolution) + Math.min(Math.max(bucket, 0), BUCKETS - 1);
}

/** bucketMs is the start of the bucket whose rollup has this id. */
export function bucketMs(id: number): number {
  const resolution = Math.floor(id / BUCKETS) % 2 === 0 ? 'minute' : 'hour';
  return ((id % BUCKETS) - BUCKETS / 2) * widthOf(resolution);
}

/** widthOf is the length of a bucket in ms. */
export function widthOf(resolution: Resolution): number {
  return resolution === 'minute' ? MINUTE_MS : HOUR_MS;
}

/** floorTo rounds a time down to a multiple of a width. */
export function floorTo(timeMs: number, widthMs: number): number {
  return Math.floor(timeMs / widthMs) * widthMs;
}

/** ceilTo rounds a time up to a multiple of a width. */
export function ceilTo(timeMs: number, widthMs: number): number {
  return Math.ceil(timeMs / widthMs) * widthMs;
}

/** firstId is where the rollups of an owner at a resolution begin. */
function firstId({ kind, id }: Owner, resolution: Resolution): number {
  const owner = id * 2 + (kind === 'series' ? 0 : 1);
  return (owner * 2 + (resolution === 'minute' ? 0 : 1)) * BUCKETS;
}
