import type { Database } from '@tidemark/sqlite';
import type { InsertedBatch } from './batch-insert.js';
import { toBody } from './blocks.js';
import { ChunkError } from './chunk-error.js';
import { openCommit } from './commit.js';
import { FlushQueue, type FlushTask } from './flush-queue.js';
import { plainText } from './sql-text.js';

/** SeriesState is what the writer remembers of a series. */
export interface SeriesState {
  readonly id: number;
  readonly model: number;
  receivedMs: number;
  flushedCommit: number;
}

/**
 * StoreState is what the writer keeps in memory about the file's content: it follows what is committed, never what is
 * only inserted, and can be read back from the file at any time.
 */
export class StoreState {
  readonly series = new Map<number, SeriesState>();
  readonly flushQueue = new FlushQueue();
  /** The id of the next commit. */
  nextCommit = 1;
  /** Raw points in the file. */
  points = 0;
  /** The newest time stored, epoch ms; -Infinity when empty. */
  newestMs = -Infinity;
  private readonly names = new Map<number, Set<string>>();

  private constructor() {}

  /** read builds the state of a file. */
  static read(database: Database): StoreState {
    const state = new StoreState();
    state.readSeries(database);
    state.readCommits(database);
    const row = database
      .prepare(
        `SELECT max((SELECT max(max_ms) FROM blocks WHERE series = t.series)) AS newest,
           (SELECT sum(count) FROM blocks) AS points FROM series_state t`,
      )
      .get([]);
    state.points += Number(row?.points ?? 0);
    if (typeof row?.newest === 'number') state.newestMs = Math.max(state.newestMs, row.newest);
    return state;
  }

  /** committed takes in a batch that is in the file now. */
  committed(batch: InsertedBatch): void {
    for (const series of batch.introduced) this.series.set(series.id, series);
    for (const series of batch.touched) series.receivedMs = batch.nowMs;
    for (const [model, name] of batch.names) this.addName(model, name);
    if (!batch.commit) return;
    const { id, count, maxMs, body } = batch.commit;
    this.flushQueue.add({ id, count, body });
    this.nextCommit = id + 1;
    this.points += count;
    this.newestMs = Math.max(this.newestMs, maxMs);
  }

  /** flushed takes in that tasks are in blocks and rollups now. */
  flushed(tasks: readonly FlushTask[]): void {
    for (const { series, commits } of tasks) series.flushedCommit = commits[commits.length - 1].id;
    this.flushQueue.done(tasks);
  }

  hasName(model: number, name: string): boolean {
    return this.names.get(model)?.has(name) ?? false;
  }

  private addName(model: number, name: string): void {
    const names = this.names.get(model) ?? new Set<string>();
    this.names.set(model, names.add(name));
  }

  private readSeries(database: Database): void {
    for (const row of database.prepare('SELECT * FROM series_state').all([])) {
      const [id, model, receivedMs] = [row.series, row.model, row.received_ms].map(Number);
      const flushedCommit = Number(row.flushed_commit);
      this.series.set(id, { id, model, receivedMs, flushedCommit });
      // A deleted commit was flushed, so no id up to the highest mark or row is ever given out twice to a series.
      this.nextCommit = Math.max(this.nextCommit, flushedCommit + 1);
    }
    for (const row of database.prepare('SELECT model, name FROM metric_names').all([])) {
      this.addName(Number(row.model), plainText(row.name));
    }
  }

  private readCommits(database: Database): void {
    const heads = database.prepare('SELECT id, count, max_ms FROM commits ORDER BY id').all([]);
    const select = database.prepare('SELECT body FROM commits WHERE id = ?');
    for (const head of heads) {
      const [id, count, maxMs] = [head.id, head.count, head.max_ms].map(Number);
      const [row] = select.all([id]);
      const body = toBody(row);
      this.flushQueue.add({ id, count, body });
      this.points += this.countUnflushed(id, body);
      this.newestMs = Math.max(this.newestMs, maxMs);
      this.nextCommit = Math.max(this.nextCommit, id + 1);
    }
  }

  private countUnflushed(id: number, body: ArrayBuffer): number {
    try {
      const { owners } = openCommit(id, body);
      return owners.reduce((sum, owner) => sum + ((this.series.get(owner)?.flushedCommit ?? id) < id ? 1 : 0), 0);
    } catch (error) {
      if (error instanceof ChunkError) return 0;
      throw error;
    }
  }
}
