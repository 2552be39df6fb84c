import type { Stat } from '@tidemark/types';
import type { AggregateSlot } from './aggregate-groups.js';
import { windowCount } from './answer-room.js';
import type { Aggregate, AggregateQuery, Summary } from './point-store.js';
import { quantileOf } from './quantile-of.js';
import { floorTo, HOUR_MS } from './rollup-id.js';
import type { Tally } from './tally.js';

/** SUMMARY_METRICS are what toSummary reads from a group. */
export const SUMMARY_METRICS: readonly string[] = ['latency', 'error_rate'];

/** Windows maps times to windows; with firstMs -Infinity everything is in the only one. */
export interface Windows {
  readonly firstMs: number;
  readonly windowMs: number;
  readonly count: number;
}

/** ONE_WINDOW holds every time. */
export const ONE_WINDOW: Windows = { firstMs: -Infinity, windowMs: HOUR_MS, count: 1 };

/** windowsOf are the windows that a query touches. */
export function windowsOf(query: AggregateQuery): Windows {
  const { sinceMs, windowMs } = query;
  return { firstMs: floorTo(sinceMs, windowMs), windowMs, count: windowCount(query) };
}

/** windowOf is the place of the window that a time falls into. */
export function windowOf({ firstMs, windowMs, count }: Windows, time: number): number {
  return count === 1 ? 0 : Math.floor((time - firstMs) / windowMs);
}

/** toAggregate answers a query from its groups once they are filled; split groups without a point are left out. */
export function toAggregate(
  { metrics, stat, groupBy = [] }: AggregateQuery,
  { firstMs, windowMs, count }: Windows,
  slots: readonly AggregateSlot[],
): Aggregate {
  return {
    times: Array.from({ length: count }, (_, i) => firstMs + i * windowMs),
    groups: slots
      .filter((slot) => groupBy.length === 0 || slot.hasPoints)
      .map((slot) => ({
        group: slot.group,
        // fromEntries defines the property even when its name is __proto__.
        values: Object.fromEntries(metrics.map((name) => [name, slot.valuesOf(name, (tally) => reduce(tally, stat))])),
      })),
  };
}

/** toSummary reads the six figures from a group of one window that gathered SUMMARY_METRICS. */
export function toSummary(slot: AggregateSlot): Summary {
  const value = (metric: string, stat: Stat): number | null => slot.valuesOf(metric, (tally) => reduce(tally, stat))[0];
  return {
    totalRequests: value('latency', 'count') ?? 0,
    averageLatency: value('latency', 'mean'),
    errorRate: value('error_rate', 'mean'),
    p95Latency: value('latency', 'p95'),
    p99Latency: value('latency', 'p99'),
  };
}

function reduce(tally: Tally, stat: Stat): number | null {
  const { count, sum, min, max } = tally;
  if (count === 0) return null;
  switch (stat) {
    case 'count':
      return count;
    case 'sum':
      return sum;
    case 'mean':
      return sum / count;
    case 'min':
      return min;
    case 'max':
      return max;
    default:
      return tally.quantile(quantileOf(stat) ?? 0.5);
  }
}
