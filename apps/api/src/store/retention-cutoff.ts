import type { Database } from '@tidemark/sqlite';

/** rawCutoffMs is the time before which raw points are (being) dropped and no longer read; it only ever rises. */
export function rawCutoffMs(database: Database): number {
  const row = database.prepare(`SELECT value FROM meta WHERE name = 'raw_cutoff_ms'`).get([]);
  return row ? Number(row.value) : -Infinity;
}
