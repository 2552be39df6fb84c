import type { Database } from '@tidemark/sqlite';

/** Cutoffs say before which time each kind of data is (being) dropped and no longer read; they only ever rise. */
export interface Cutoffs {
  readonly rawMs: number;
  readonly minuteMs: number;
  readonly hourMs: number;
}

/** readCutoffs reads what the writer last set, -Infinity where it never did; part of a query's snapshot. */
export function readCutoffs(database: Database): Cutoffs {
  const rows = database.prepare(`SELECT name, value FROM meta WHERE name LIKE '%_cutoff_ms'`).all([]);
  const cutoff = (name: string): number => Number(rows.find((row) => row.name === name)?.value ?? -Infinity);
  return {
    rawMs: cutoff('raw_cutoff_ms'),
    minuteMs: cutoff('minute_cutoff_ms'),
    hourMs: cutoff('hour_cutoff_ms'),
  };
}
