import type { Page, Point } from './point-store.js';
import type { PointColumns } from './store-messages.js';

/** decodePoints makes a page of points from the columns that the reader handed over. */
export function decodePoints(columns: PointColumns): Page<Point> {
  const { series, owners, times, seqs, builtIn, requestIds, requestIdLengths, hasMore } = columns;
  const [latency, throughput, errorRate, gpuMemory, cpuUsage, memoryUsage] = builtIn;
  const items: Point[] = new Array<Point>(times.length);
  let idAt = 0;
  let customAt = 0;
  for (let i = 0; i < items.length; i++) {
    const idEnd = idAt + requestIdLengths[i];
    const customFrom = customAt;
    while (columns.customRows[customAt] === i) customAt++;
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
      values: customFrom === customAt ? null : valuesOf(columns, customFrom, customAt),
    };
    idAt = idEnd;
  }
  const last = items.at(-1);
  return { items, next: hasMore && last ? { timestampMs: last.timestampMs, seq: last.seq } : null };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function valuesOf(columns: PointColumns, from: number, to: number): Readonly<Record<string, number>> {
  const entries: [string, number][] = [];
  for (let i = from; i < to; i++) entries.push([columns.customNames[columns.customPlaces[i]], columns.customValues[i]]);
  // fromEntries defines the property even when its name is __proto__.
  return Object.fromEntries(entries);
}
