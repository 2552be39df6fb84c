import type { StoredDrift, StoredInference } from '@tidemark/types';
import type { DriftPoint, Point } from '../store/point-store.js';

/** toStoredInference writes a point as it is read back: null where absent. */
export function toStoredInference(point: Point): StoredInference {
  return {
    model_id: point.series.modelId,
    model_type: point.series.modelType,
    request_id: point.requestId,
    latency: point.latency,
    timestamp: new Date(point.timestampMs).toISOString(),
    throughput: point.throughput,
    error_rate: point.errorRate,
    resource_usage: { gpu_memory: point.gpuMemory, cpu_usage: point.cpuUsage, memory_usage: point.memoryUsage },
    tags: point.series.tags,
    values: point.values ?? {},
  };
}

/** toStoredDrift writes a drift point as it is read back. */
export function toStoredDrift(point: DriftPoint): StoredDrift {
  return {
    model_id: point.modelId,
    drift_type: point.driftType,
    severity: point.severity,
    confidence: point.confidence,
    timestamp: new Date(point.timestampMs).toISOString(),
    tags: point.tags,
  };
}
