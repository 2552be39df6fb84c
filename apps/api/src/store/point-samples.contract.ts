import type { Point, Range, Series, WriteBatch } from './point-store.js';

/** NOW is the time of the fake clock that the adapter is to be opened with, epoch ms; on a whole day. */
export const NOW = Date.UTC(2026, 2, 14);
/** MINUTE and HOUR are in ms. */
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** aSeries is a series of project `shop` and model `ranker` with these tags. */
export function aSeries(tags: Record<string, string> = {}, project = 'shop', modelId = 'ranker'): Series {
  return { key: JSON.stringify([project, modelId, tags]), project, modelId, modelType: 'tabular', tags };
}

/** aPoint is a point with only a latency, but for what is given. */
export function aPoint(series: Series, seq: number, timestampMs: number, more: Partial<Point> = {}): Point {
  return {
    series,
    seq,
    timestampMs,
    requestId: `request-${seq}`,
    latency: seq,
    throughput: null,
    errorRate: null,
    gpuMemory: null,
    cpuUsage: null,
    memoryUsage: null,
    values: null,
    ...more,
  };
}

/** aBatch is a batch of points and nothing else. */
export function aBatch(points: readonly Point[]): WriteBatch {
  return { points, drifts: [], records: [] };
}

/** aDay is the range of the last 24 hours of a model. */
export function aDay(more: Partial<Range> = {}): Range {
  return { project: 'shop', modelId: 'ranker', sinceMs: NOW - 24 * HOUR, untilMs: NOW + MINUTE, ...more };
}
