import type { Alert } from '@tidemark/types';
import type { DriftPoint, Point } from '../../store/point-store.js';

/** PointParts are the parts of a point that a test cares about. */
export interface PointParts {
  readonly project?: string;
  readonly model?: string;
  readonly seq?: number;
  readonly requestId?: string;
}

/** makePoint is a plausible point of project `default` and model `m1` unless told otherwise. */
export function makePoint({
  project = 'default',
  model = 'm1',
  seq = 1,
  requestId = `r${seq}`,
}: PointParts = {}): Point {
  return {
    series: { key: `${project}/${model}`, project, modelId: model, modelType: 'llm', tags: { region: 'eu' } },
    seq,
    timestampMs: 1_760_000_000_000 + seq,
    requestId,
    latency: 12.5,
    throughput: null,
    errorRate: 0.01,
    gpuMemory: null,
    cpuUsage: 0.5,
    memoryUsage: null,
    values: null,
  };
}

/** makeDrift is a plausible drift point. */
export function makeDrift(project = 'default', model = 'm1'): DriftPoint {
  const what = { driftType: 'data', severity: 'high', confidence: 0.9 } as const;
  return { project, seq: 1, timestampMs: 1_760_000_000_000, modelId: model, ...what, tags: {} };
}

/** makeAlert is a plausible firing alert. */
export function makeAlert(id: string, model = 'm1'): Alert {
  const nobody = { resolved_at: null, resolved_by: null, resolve_comment: null, acknowledged_at: null };
  return {
    id,
    model_id: model,
    alert_type: 'latency',
    rule: 'latency',
    severity: 'high',
    message: 'High latency detected: 1500.0ms (threshold: 1000.0ms)',
    timestamp: '2026-01-01T00:00:00.000Z',
    resolved: false,
    acknowledged: false,
    acknowledged_by: null,
    acknowledge_comment: null,
    value: 1500,
    threshold: 1000,
    peak: 1500,
    occurrences: 1,
    last_breach_at: '2026-01-01T00:00:00.000Z',
    ...nobody,
  };
}
