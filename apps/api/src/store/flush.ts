import type { Database } from '@tidemark/sqlite';
import { AddedRollups } from './add-rollups.js';
import { applyBlocks, areStored, packBlocks, type BlockChange } from './blocks.js';
import type { FlushTask } from './flush-queue.js';
import { gatherInSteps } from './gathered-points.js';
import type { Steps } from './steps.js';

/** OUT_OF_STEP is the code of the error when the writer's memory and the file do not agree about what is flushed. */
export const OUT_OF_STEP = 'OUT_OF_STEP';

/** PackedFlush is what becomes of some tasks of one model, ready to be written. */
export interface PackedFlush {
  readonly tasks: readonly FlushTask[];
  /** In step with the tasks. */
  readonly series: readonly { readonly blocks: BlockChange; readonly rollups: AddedRollups }[];
  readonly ofModel: AddedRollups;
}

/** packFlush gathers, packs and sums up the points of tasks of ONE model, each of another series; it changes nothing. */
export function* packFlush(database: Database, tasks: readonly FlushTask[]): Steps<PackedFlush> {
  const series: PackedFlush['series'][number][] = [];
  const ofModel = new AddedRollups();
  for (const { series: owner, commits, rows, ends } of tasks) {
    const sources = commits.map(({ chunk }, i) => ({ chunk, rows: rows.slice(ends[i - 1] ?? 0, ends[i]) }));
    const points = yield* gatherInSteps(sources);
    yield;
    const rollups = new AddedRollups();
    yield* rollups.addInSteps(points);
    ofModel.merge(rollups);
    yield;
    series.push({ blocks: yield* packBlocks(database, owner.id, points), rollups });
  }
  return { tasks, series, ofModel };
}

/** isCurrent tells whether what was packed can still be written as it is. */
export function isCurrent(database: Database, { series }: PackedFlush): boolean {
  return series.every(({ blocks }) => areStored(database, blocks));
}

/**
 * writeFlush moves points from the commits to blocks, counts them in the rollups of their series and of the model, and
 * moves each series' mark past the commits. Call it inside a transaction: moved, counted and marked become true
 * together, so that a crash neither loses nor doubles a point, however late or out of order it came. It throws
 * OUT_OF_STEP, before it has changed anything, for what is flushed already. It returns how many rollups were damaged.
 */
export function writeFlush(database: Database, { tasks, series, ofModel }: PackedFlush): number {
  let damaged = 0;
  for (const [i, { series: owner, commits }] of tasks.entries()) {
    const { changes } = database
      .prepare('UPDATE series_state SET flushed_commit = ? WHERE model = ? AND series = ? AND flushed_commit < ?')
      .run([commits[commits.length - 1].id, owner.model, owner.id, commits[0].id]);
    if (changes !== 1) throw Object.assign(new Error(`series ${owner.id} is out of step`), { code: OUT_OF_STEP });
    applyBlocks(database, series[i].blocks);
    damaged += series[i].rollups.addTo(database, { kind: 'series', id: owner.id });
  }
  if (tasks.length > 0) damaged += ofModel.addTo(database, { kind: 'model', id: tasks[0].series.model });
  return damaged;
}

/** setAside keeps a copy of a commit that cannot be read, and returns how many points are said to be in it. */
export function setAside(database: Database, id: number): number {
  database.prepare('INSERT OR IGNORE INTO damaged_commits SELECT * FROM commits WHERE id = ?').run([id]);
  return Number(database.prepare('SELECT count FROM commits WHERE id = ?').get([id])?.count ?? 0);
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
