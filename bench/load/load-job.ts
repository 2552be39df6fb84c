/** ClosedJob sends as fast as answers come, on `connections` at once, and counts what completes after the warm-up. */
export interface ClosedJob {
  readonly kind: 'closed';
  readonly port: number;
  readonly points: number;
  /** linesPath is set to send lines to InfluxDB, to this path of it, in the place of metrics to Tidemark. */
  readonly linesPath?: string;
  readonly connections: number;
  readonly warmupMs: number;
  readonly durationMs: number;
}

/** OpenJob sends at a fixed rate whatever the answers do; an answer's time counts from when its request was due. */
export interface OpenJob {
  readonly kind: 'open';
  readonly port: number;
  readonly points: number;
  readonly connections: number;
  readonly pointsPerS: number;
  readonly warmupMs: number;
  readonly durationMs: number;
}

/** FillJob stores `total` points with timestamps that run evenly from `fromMs` to `untilMs` (epoch ms). */
export interface FillJob {
  readonly kind: 'fill';
  readonly port: number;
  readonly points: number;
  readonly connections: number;
  readonly total: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** GetsJob asks `count` times, one after the other, taking the paths in turn; fewer when `maxMs` is over before. */
export interface GetsJob {
  readonly kind: 'gets';
  readonly port: number;
  readonly paths: readonly string[];
  readonly count: number;
  readonly maxMs: number;
}

/** LoadJob is one piece of work for the process that makes the load. */
export type LoadJob = ClosedJob | OpenJob | FillJob | GetsJob;

/** LoadResult is what came of a job. */
export interface LoadResult {
  /** elapsedMs is how long was measured, without the warm-up. */
  readonly elapsedMs: number;
  /** accepted are answers with a 2xx status in that time, and points what they carried. */
  readonly accepted: number;
  readonly points: number;
  /** pointsEver are the points that were acknowledged in all, in the warm-up too. */
  readonly pointsEver: number;
  /** refused counts the other answers by status. */
  readonly refused: Readonly<Record<string, number>>;
  /** latenciesMs has one entry for each answer measured. */
  readonly latenciesMs: readonly number[];
  readonly bodyBytes: number;
  /** cpuMs is the processor time that making the load took. */
  readonly cpuMs: number;
}
