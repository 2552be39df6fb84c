import type { Pace } from './pace.js';
import type { DriftPoint, IdempotencyRecord, Position, Range, Series } from './point-store.js';

/** Retention says for how long raw points and the rollups of each resolution are kept, in ms. */
export interface Retention {
  readonly rawMs: number;
  readonly minuteMs: number;
  readonly hourMs: number;
}

/** WriterInput is what the writer thread is started with. */
export interface WriterInput {
  readonly file: string;
  readonly retention: Retention;
  readonly pace: Pace;
  readonly nowMs: number;
}

/** WriterOpened is the writer's answer to `opened`. */
export interface WriterOpened {
  readonly lastSeq: number;
  readonly newestMs: number;
}

/** SeriesMessage is a series of a WriteMessage. */
export interface SeriesMessage {
  /** The id of the series, or -1 - i for newSeries[i]. */
  readonly id: number;
  /** Names of the custom metrics that its points carry. */
  readonly names: readonly string[];
}

/** PointsMessage is the points of a WriteMessage, encoded by encodePoints. */
export interface PointsMessage {
  /** A plain chunk, and for each point the place of its series in `series` as uint32. */
  readonly buffer: ArrayBuffer;
  readonly count: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly lastSeq: number;
  readonly series: readonly SeriesMessage[];
}

/** WriteMessage is a batch on its way to the writer. */
export interface WriteMessage {
  readonly nowMs: number;
  readonly points: PointsMessage | null;
  readonly newSeries: readonly Series[];
  readonly drifts: readonly DriftPoint[];
  readonly records: readonly IdempotencyRecord[];
}

/** WriteAnswer gives the ids of newSeries, in step. */
export interface WriteAnswer {
  readonly ids: readonly number[];
}

/** UNKNOWN_SERIES is the code of the error for a series id that is not (or no longer) in the file: name it again. */
export const UNKNOWN_SERIES = 'UNKNOWN_SERIES';

/** RecentMessage asks the reader for a page. */
export interface RecentMessage {
  readonly range: Range;
  readonly limit: number;
  readonly after: Position | null;
}

/** PointColumns are points of several series in columns, cheap to hand over; an absent number is NaN. */
export interface PointColumns {
  readonly series: readonly Series[];
  /** For each point, its place in `series`. */
  readonly owners: Uint32Array;
  readonly times: Float64Array;
  readonly seqs: Float64Array;
  readonly builtIn: readonly Float64Array[];
  readonly customNames: readonly string[];
  /** In step, by ascending row: the custom values, their rows and the places of their names. */
  readonly customValues: Float64Array;
  readonly customRows: Uint32Array;
  readonly customPlaces: Uint32Array;
  readonly requestIds: string;
  readonly requestIdLengths: Uint32Array;
  readonly hasMore: boolean;
}

/** RecordMessage asks for an idempotency record that has not expired. */
export interface RecordMessage {
  readonly project: string;
  readonly key: string;
  readonly createdAfterMs: number;
}

/** ReaderInput is what the reader thread is started with. */
export interface ReaderInput {
  readonly file: string;
}
