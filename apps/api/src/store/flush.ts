import type { Database } from '@tidemark/sqlite';
import { AddedRollups } from './add-rollups.js';
import { addBlocks } from './blocks.js';
import type { FlushTask } from './flush-queue.js';
import { gatherPoints } from './gathered-points.js';

/** OUT_OF_STEP is the code of the error when the writer's memory and the file do not agree about what is flushed. */
export const OUT_OF_STEP = 'OUT_OF_STEP';

/**
 * flushTasks moves the points of some series of ONE model from the commits to blocks, counts them in the rollups of the
 * series and of the model, and moves each series' mark past the commits. Call it inside a transaction: moved, counted
 * and marked become true together, so that a crash neither loses nor doubles a point, however late or out of order it
 * came. It throws OUT_OF_STEP, before it has changed anything, for what is flushed already.
 */
export function flushTasks(database: Database, tasks: readonly FlushTask[]): void {
  const ofModel = new AddedRollups();
  for (const { series, commits, rows } of tasks) {
    const { changes } = database
      .prepare('UPDATE series_state SET flushed_commit = ? WHERE model = ? AND series = ? AND flushed_commit < ?')
      .run([commits[commits.length - 1].id, series.model, series.id, commits[0].id]);
    if (changes !== 1) throw Object.assign(new Error(`series ${series.id} is out of step`), { code: OUT_OF_STEP });
    const points = gatherPoints(commits.map(({ chunk }, i) => ({ chunk, rows: rows[i] })));
    addBlocks(database, series.id, points);
    const ofSeries = new AddedRollups();
    ofSeries.add(points);
    ofSeries.addTo(database, { kind: 'series', id: series.id });
    ofModel.merge(ofSeries);
  }
  if (tasks.length > 0) ofModel.addTo(database, { kind: 'model', id: tasks[0].series.model });
}

/** dropCommits deletes some commits up to an id, and returns how many; the highest seq ever stored outlives them. */
export function dropCommits(database: Database, lastId: number, limit: number): number {
  const dropped = database
    .prepare('DELETE FROM commits WHERE id IN (SELECT id FROM commits WHERE id <= ? LIMIT ?) RETURNING last_seq')
    .all([lastId, limit]);
  if (dropped.length === 0) return 0;
  database
    .prepare(
      `INSERT INTO meta (name, value) VALUES ('last_seq', ?)
       ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`,
    )
    .run([dropped.reduce((last, row) => Math.max(last, Number(row.last_seq)), 0)]);
  return dropped.length;
}
