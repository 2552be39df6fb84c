import type { ModelType, Stat } from '@tidemark/types';

/** Series is one time series: a project's model with one set of tags. Two points share a series when `key` is equal. */
export interface Series {
  /** Unique over all projects; made by the series registry and opaque to stores. */
  readonly key: string;
  readonly project: string;
  readonly modelId: string;
  readonly modelType: ModelType;
  readonly tags: Readonly<Record<string, string>>;
}

/** Point is one accepted inference metric. Absent numbers are null. */
export interface Point {
  readonly series: Series;
  /** Rises by one with every point that this process accepts; orders points that share a timestamp. */
  readonly seq: number;
  /** UTC, epoch ms. */
  readonly timestampMs: number;
  readonly requestId: string;
  /** ms, > 0. */
  readonly latency: number;
  /** requests/s, > 0. */
  readonly throughput: number | null;
  /** 0..1. */
  readonly errorRate: number | null;
  /** 0..1. */
  readonly gpuMemory: number | null;
  /** 0..1. */
  readonly cpuUsage: number | null;
  /** 0..1. */
  readonly memoryUsage: number | null;
  /** Custom metrics by name; any finite number. */
  readonly values: Readonly<Record<string, number>> | null;
}

/** DriftPoint is one accepted drift metric. */
export interface DriftPoint {
  readonly project: string;
  readonly seq: number;
  readonly timestampMs: number;
  readonly modelId: string;
  readonly driftType: 'data' | 'concept';
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  /** 0..1. */
  readonly confidence: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** IdempotencyRecord is the answer kept for a request that carried an Idempotency-Key. */
export interface IdempotencyRecord {
  readonly project: string;
  readonly key: string;
  /** SHA-256 of route and body, hex. */
  readonly fingerprint: string;
  readonly status: number;
  /** The JSON answer, as sent. */
  readonly body: string;
  readonly createdMs: number;
}

/** RECORD_LIFE_MS is how long an IdempotencyRecord is kept and found, by its `createdMs`: 24 hours. */
export const RECORD_LIFE_MS = 24 * 3_600_000;

/** WriteBatch is stored whole or not at all: the records are remembered exactly if the points are. */
export interface WriteBatch {
  readonly points: readonly Point[];
  readonly drifts: readonly DriftPoint[];
  readonly records: readonly IdempotencyRecord[];
}

/** Range selects points of a project by time: sinceMs <= timestampMs < untilMs; all of its models when modelId is absent. */
export interface Range {
  readonly project: string;
  readonly modelId?: string;
  /** Only series that carry all of these tags. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Position is where a page ended; the next page starts with the point after it in (timestampMs, seq) descending order. */
export interface Position {
  readonly timestampMs: number;
  readonly seq: number;
}

/** Page is a slice in descending (timestampMs, seq) order; `next` is null on the last page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: Position | null;
}

/** AggregateQuery asks for one stat of several metrics in windows of windowMs, aligned to multiples of it since the epoch. */
export interface AggregateQuery extends Range {
  /** latency, throughput, error_rate, gpu_memory, cpu_usage, memory_usage, or the name of a custom value. */
  readonly metrics: readonly string[];
  readonly stat: Stat;
  /** ms, a multiple of 1000. */
  readonly windowMs: number;
  /** Names of tags, or `model_id`: one group for each combination of their values. */
  readonly groupBy?: readonly string[];
}

/** AggregateGroup holds, for each metric, one value a window (null where the window is empty), in step with `times`. */
export interface AggregateGroup {
  readonly group: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Aggregate is the answer to an AggregateQuery: the start of every window (epoch ms, ascending) and the groups. */
export interface Aggregate {
  readonly times: readonly number[];
  readonly groups: readonly AggregateGroup[];
}

/** Summary is a range in six figures; null where no point carries the metric. */
export interface Summary {
  readonly totalRequests: number;
  readonly averageLatency: number | null;
  /** The mean over all points that carry an error rate. */
  readonly errorRate: number | null;
  readonly p95Latency: number | null;
  readonly p99Latency: number | null;
}

/** StoreStats are gauges for telemetry. */
export interface StoreStats {
  readonly bytes: number;
  readonly points: number;
  readonly series: number;
}

/**
 * PointStore keeps metrics durably and answers questions over them.
 * A read sees every write that was acknowledged before it began. Every method rejects with an Error whose `code`
 * tells the cause when the store cannot answer; nothing is then half done.
 */
export interface PointStore {
  /** write resolves when the whole batch is on disk (fsync done), and rejects when nothing of it was stored. */
  write(batch: WriteBatch): Promise<void>;
  recent(range: Range, limit: number, after?: Position): Promise<Page<Point>>;
  recentDrift(range: Range, limit: number, after?: Position): Promise<Page<DriftPoint>>;
  /**
   * aggregate rejects with the code ANSWER_TOO_LARGE when more groups than mostGroups have a point in the range. It gives up
   * at the first one too many, so that its memory does not depend on how many more there are.
   */
  aggregate(query: AggregateQuery): Promise<Aggregate>;
  summary(range: Range): Promise<Summary>;
  /**
   * activeSeries lists every series with a point received since then, to rebuild the registry at start. A store on a server
   * gives up when the signal says so, and rejects with its reason.
   */
  activeSeries(sinceMs: number, signal?: AbortSignal): Promise<readonly Series[]>;
  /** metricNames lists the custom metrics that a project's model has sent. */
  metricNames(project: string, modelId: string): Promise<readonly string[]>;
  findRecord(project: string, key: string): Promise<IdempotencyRecord | null>;
  /** lastSeq is the highest sequence number known to be stored when the store was opened; 0 when there was none. */
  readonly lastSeq: number;
  /** newestMs is the highest timestamp of a point stored when the store was opened; -Infinity when empty, Infinity when not known. */
  readonly newestMs: number;
  stats(): Promise<StoreStats>;
  /** ping rejects when the store cannot take a write now. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
