import type { Stat } from '@tidemark/types';

const QUANTILES: Readonly<Partial<Record<Stat, number>>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 };

/** quantileOf is the quantile that a stat names, 0 to 1; null when it is not a percentile. */
export function quantileOf(stat: Stat): number | null {
  return QUANTILES[stat] ?? null;
}

/** needsQuantiles tells whether a stat is a percentile. */
export function needsQuantiles(stat: Stat): boolean {
  return quantileOf(stat) !== null;
}
