import type { Model } from '@tidemark/state';
import type { Thresholds } from '@tidemark/types';

/** toWireThresholds names a model's limits as the contract does. */
export function toWireThresholds({
  latency,
  errorRate,
  gpuMemory,
  cpuUsage,
  memoryUsage,
}: Model['thresholds']): Thresholds {
  return { latency, error_rate: errorRate, gpu_memory: gpuMemory, cpu_usage: cpuUsage, memory_usage: memoryUsage };
}
