import type { SeqRange } from './lap.js';

/** Placed is a thing that has its place in the order of pages. */
export interface Placed {
  readonly timestampMs: number;
  readonly seq: number;
}

/** StoredRow is a row of the database. It has no item while InfluxDB is storing it, one field after the other. */
export interface StoredRow<T> {
  readonly timestampMs: number;
  /** Null while even that is not stored; never so in rows that were selected by it. */
  readonly seq: number | null;
  readonly item: T | null;
}

/** PageSource reads rows, at most `limit` and newest first by the timestamp in the database. */
export interface PageSource<T> {
  /** newest reads rows before toMs. */
  readonly newest: (toMs: number, limit: number) => Promise<readonly StoredRow<T>[]>;
  /** ofMs reads rows of one ms whose seq is in the range. */
  readonly ofMs: (ms: number, seqs: SeqRange, limit: number) => Promise<readonly StoredRow<T>[]>;
  /** highestSeq is the highest seq below, of the rows of one ms; null when there is none. */
  readonly highestSeq: (ms: number, below: number) => Promise<number | null>;
}

/** inOrder gives the items of rows in descending (timestampMs, seq) order. */
export function inOrder<T extends Placed>(rows: readonly StoredRow<T>[]): T[] {
  const items = rows.flatMap(({ item }) => item ?? []);
  return items.sort((a, b) => b.timestampMs - a.timestampMs || b.seq - a.seq);
}
