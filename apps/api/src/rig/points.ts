import type { DriftPoint, Point, Series } from '../store/point-store.js';
import { NOON } from './manual-clock.js';

/** aSeries is a series of a model; its key tells project and model apart. */
export function aSeries(modelId = 'churn', project = 'default'): Series {
  return { key: `${project}/${modelId}`, project, modelId, modelType: 'tabular', tags: {} };
}

/** aPoint is a healthy point at noon. */
export function aPoint(given: Partial<Point> = {}): Point {
  return {
    series: aSeries(),
    seq: 1,
    timestampMs: NOON,
    requestId: 'r',
    latency: 10,
    throughput: null,
    errorRate: null,
    gpuMemory: null,
    cpuUsage: null,
    memoryUsage: null,
    values: null,
    ...given,
  };
}

/** aDrift is a finding of drift that raises an alert. */
export function aDrift(given: Partial<DriftPoint> = {}): DriftPoint {
  return {
    project: 'default',
    seq: 1,
    timestampMs: NOON,
    modelId: 'churn',
    driftType: 'data',
    severity: 'critical',
    confidence: 1,
    tags: {},
    ...given,
  };
}
