import type { Database } from '@tidemark/sqlite';
import { rollupId, type Owner, type Resolution } from './rollup-id.js';
import type { Cutoffs } from './retention-cutoff.js';
import type { SeriesState } from './store-state.js';

/** ROWS_A_STEP is how many rows a step deletes at most. */
const ROWS_A_STEP = 100;

/** setCutoffs makes readers pass over what is about to be dropped, all of it at once. Call it inside a transaction. */
export function setCutoffs(database: Database, cutoffs: Cutoffs): void {
  const set = database.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
  for (const [name, value] of Object.entries({ raw: cutoffs.rawMs, minute: cutoffs.minuteMs, hour: cutoffs.hourMs })) {
    if (Number.isFinite(value)) set.run([`${name}_cutoff_ms`, value]);
  }
}

/**
 * dropOldBlocks drops some blocks of a series and returns how many points they held, 0 at the end. What is only in
 * commits stays until it is flushed, as the rollups do not count it before.
 */
export function dropOldBlocks(database: Database, series: number, cutoffMs: number): number {
  const dropped = database
    .prepare(
      `DELETE FROM blocks WHERE id IN (SELECT id FROM blocks WHERE series = ? AND max_ms < ? LIMIT ${ROWS_A_STEP})
       RETURNING count`,
    )
    .all([series, cutoffMs]);
  return dropped.reduce((points, row) => points + Number(row.count), 0);
}

/** dropOldRollups drops some rollups of an owner that began before a time, and returns how many, 0 at the end. */
export function dropOldRollups(database: Database, owner: Owner, resolution: Resolution, cutoffMs: number): number {
  return database
    .prepare(`DELETE FROM rollups WHERE id IN (SELECT id FROM rollups WHERE id >= ? AND id < ? LIMIT ${ROWS_A_STEP})`)
    .run([rollupId(owner, resolution, -Infinity), rollupId(owner, resolution, cutoffMs)]).changes;
}

/** dropOldDrifts drops some drift points of any model before a time, and returns how many, 0 at the end. */
export function dropOldDrifts(database: Database, cutoffMs: number): number {
  return database
    .prepare(`DELETE FROM drifts WHERE id IN (SELECT id FROM drifts WHERE time_ms < ? LIMIT ${ROWS_A_STEP})`)
    .run([cutoffMs]).changes;
}

/** dropOldRecords drops some idempotency records made at a time or before, and returns how many, 0 at the end. */
export function dropOldRecords(database: Database, createdMs: number): number {
  return database
    .prepare(
      `DELETE FROM records WHERE (project, key) IN
         (SELECT project, key FROM records WHERE created_ms <= ? LIMIT ${ROWS_A_STEP})`,
    )
    .run([createdMs]).changes;
}

/** dropSeries forgets a series of which nothing is left, and tells whether it did. */
export function dropSeries(database: Database, { id: series, model }: SeriesState): boolean {
  const owner: Owner = { kind: 'series', id: series };
  const row = database
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM blocks WHERE series = ?)
         OR EXISTS (SELECT 1 FROM rollups WHERE id >= ? AND id <= ?) AS is_used`,
    )
    .get([series, rollupId(owner, 'minute', -Infinity), rollupId(owner, 'hour', Infinity)]);
  if (Number(row?.is_used) !== 0) return false;
  database.prepare('DELETE FROM series_state WHERE model = ? AND series = ?').run([model, series]);
  database.prepare('DELETE FROM series WHERE id = ?').run([series]);
  return true;
}
