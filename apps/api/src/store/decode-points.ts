import type { Page, Point } from './point-store.js';
import type { PointColumns } from './store-messages.js';

/** decodePoints makes a page of points from the columns that the reader handed over. */
export function decodePoints(columns: PointColumns): Page<Point> {
  const { series, owners, times, seqs, builtIn, customs, requestIds, requestIdLengths, hasMore } = columns;
  const [latency, throughput, errorRate, gpuMemory, cpuUsage, memoryUsage] = builtIn;
  const items: Point[] = new Array<Point>(times.length);
  let idAt = 0;
  for (let i = 0; i < items.length; i++) {
    const idEnd = idAt + requestIdLengths[i];
    items[i] = {
      series: series[owners[i]],
      seq: seqs[i],
      timestampMs: times[i],
      requestId: requestIds.slice(idAt, idEnd),
      latency: latency[i],
      throughput: orNull(throughput[i]),
      errorRate: orNull(errorRate[i]),
      gpuMemory: orNull(gpuMemory[i]),
      cpuUsage: orNull(cpuUsage[i]),
      memoryUsage: orNull(memoryUsage[i]),
      values: customs.length === 0 ? null : valuesAt(customs, i),
    };
    idAt = idEnd;
  }
  const last = items.at(-1);
  return { items, next: hasMore && last ? { timestampMs: last.timestampMs, seq: last.seq } : null };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function valuesAt(customs: PointColumns['customs'], row: number): Readonly<Record<string, number>> | null {
  const present = customs.filter(({ values }) => !Number.isNaN(values[row]));
  if (present.length === 0) return null;
  // fromEntries defines the property even when its name is __proto__.
  return Object.fromEntries(present.map(({ name, values }) => [name, values[row]]));
}
