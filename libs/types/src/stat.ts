/** STATS are what a window can be reduced to; percentiles have a relative error of at most 1%. */
export const STATS = ['mean', 'min', 'max', 'sum', 'count', 'p50', 'p90', 'p95', 'p99'] as const;

/** Stat is one of them. */
export type Stat = (typeof STATS)[number];
