import type { Rule, Severity, Thresholds } from '@tidemark/types';
import type { DriftPoint, Point } from '../store/point-store.js';

/** Breach is what one request shows of one rule of one model: how often it was broken, and the worst of it. */
export interface Breach {
  readonly project: string;
  readonly modelId: string;
  readonly rule: Rule;
  readonly severity: Severity;
  /** The worst value; ms for latency, else a share from 0 to 1. */
  readonly value: number;
  readonly threshold: number | null;
  readonly count: number;
  readonly message: string;
}

/** ThresholdsOf finds the limits of a registered model; null for one that nobody registered. */
export type ThresholdsOf = (project: string, modelId: string) => Thresholds | null;

interface Limit {
  readonly rule: Rule;
  readonly value: (point: Point) => number | null;
  readonly threshold: (thresholds: Thresholds) => number;
  readonly message: (value: number, threshold: number) => string;
}

/** In the order in which one metric raises several. */
const LIMITS: readonly Limit[] = [
  {
    rule: 'latency',
    value: (point) => point.latency,
    threshold: (thresholds) => thresholds.latency,
    message: (value, threshold) =>
      `High latency detected: ${oneDecimal(value)}ms (threshold: ${oneDecimal(threshold)}ms)`,
  },
  {
    rule: 'error_rate',
    value: (point) => point.errorRate,
    threshold: (thresholds) => thresholds.error_rate,
    message: (value, threshold) => `High error rate detected: ${percent(value)} (threshold: ${percent(threshold)})`,
  },
  usage('gpu_memory', 'GPU memory', (point) => point.gpuMemory),
  usage('cpu_usage', 'CPU', (point) => point.cpuUsage),
  usage('memory_usage', 'memory', (point) => point.memoryUsage),
];

/**
 * evaluate finds the breaches in points: one for each model and rule, in the order in which they first occur; those of one
 * point in the order of the rules. Points from before `sinceMs` (epoch ms) tell of the past, and nobody is woken for them.
 */
export function evaluate(points: readonly Point[], thresholdsOf: ThresholdsOf, sinceMs: number): readonly Breach[] {
  const worst = new Map<string, { point: Point; limit: Limit; value: number; threshold: number; count: number }>();
  let series: Point['series'] | null = null;
  let thresholds: Thresholds | null = null;
  for (const point of points) {
    if (point.series !== series) {
      series = point.series;
      thresholds = thresholdsOf(series.project, series.modelId);
    }
    if (!thresholds || point.timestampMs < sinceMs) continue;
    for (const limit of LIMITS) {
      const value = limit.value(point);
      const threshold = limit.threshold(thresholds);
      if (value === null || !(value > threshold)) continue;
      const key = `${limit.rule} ${point.series.project.length}:${point.series.project}${point.series.modelId}`;
      const known = worst.get(key);
      if (!known) worst.set(key, { point, limit, value, threshold, count: 1 });
      else {
        known.count++;
        if (value > known.value) known.value = value;
      }
    }
  }
  return [...worst.values()].map(({ point, limit, value, threshold, count }) => ({
    project: point.series.project,
    modelId: point.series.modelId,
    rule: limit.rule,
    severity: severityOf(value, threshold),
    value,
    threshold,
    count,
    message: limit.message(value, threshold),
  }));
}

/** evaluateDrift finds the drift metrics that raise an alert: those of high and critical severity, from `sinceMs` on. */
export function evaluateDrift(drifts: readonly DriftPoint[], sinceMs: number): readonly Breach[] {
  return drifts
    .filter(({ severity, timestampMs }) => (severity === 'high' || severity === 'critical') && timestampMs >= sinceMs)
    .map((drift) => ({
      project: drift.project,
      modelId: drift.modelId,
      rule: drift.driftType === 'data' ? ('drift_data' as const) : ('drift_concept' as const),
      severity: drift.severity,
      value: drift.confidence,
      threshold: null,
      count: 1,
      message: `${drift.driftType === 'data' ? 'Data' : 'Concept'} drift detected with ${drift.severity} severity (confidence: ${percent(drift.confidence)})`,
    }));
}

/** countOlder is how many of these were measured before `sinceMs` (epoch ms), so that nobody is woken for them. */
export function countOlder(items: readonly { readonly timestampMs: number }[], sinceMs: number): number {
  let count = 0;
  for (const { timestampMs } of items) if (timestampMs < sinceMs) count++;
  return count;
}

/**
 * severityOf grades a breach by the ratio of value to threshold: >= 2 critical, >= 1.5 high, >= 1.2 medium, else low.
 * A ratio that is exact in decimals counts as reached: 0.15 is 1.5 times 0.1, although no two doubles say so.
 */
export function severityOf(value: number, threshold: number): Severity {
  const reached = value * (1 + 1e-12);
  if (reached >= 2 * threshold) return 'critical';
  if (reached >= 1.5 * threshold) return 'high';
  return reached >= 1.2 * threshold ? 'medium' : 'low';
}

function usage(
  rule: 'gpu_memory' | 'cpu_usage' | 'memory_usage',
  noun: string,
  value: (point: Point) => number | null,
): Limit {
  return {
    rule,
    value,
    threshold: (thresholds) => thresholds[rule],
    message: (share, threshold) => `High ${noun} usage: ${percent(share)} (threshold: ${percent(threshold)})`,
  };
}

function percent(share: number): string {
  return `${oneDecimal(share * 100)}%`;
}

/**
 * One decimal, an exact half to the even digit, as C and Python print it: the texts are a contract. A double is halfway
 * between two tenths only at .25 and .75, and toFixed takes the larger neighbour, which is the even one at .75.
 */
function oneDecimal(value: number): string {
  return value % 1 === 0.25 ? `${Math.trunc(value)}.2` : value.toFixed(1);
}
