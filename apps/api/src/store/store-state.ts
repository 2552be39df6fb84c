import type { Database } from '@tidemark/sqlite';
import type { InsertedBatch } from './batch-insert.js';
import type { FoldTask } from './fold.js';
import { FoldQueue, type WaitingChunk } from './fold-queue.js';
import { LooseChunks, type Ripe } from './loose-chunks.js';
import { plainText } from './sql-text.js';

/** SeriesState is what the writer remembers of a series. */
export interface SeriesState {
  readonly id: number;
  readonly model: number;
  receivedMs: number;
  foldedChunk: number;
}

/** StoredChunk is a chunk of the table of commits and whose it is. */
export interface StoredChunk {
  readonly model: number;
  readonly series: number;
  readonly chunk: WaitingChunk;
}

/**
 * StoreState is what the writer keeps in memory about the file's content: it follows what is committed, never what is
 * only inserted, and can be read back from the file at any time.
 */
export class StoreState {
  readonly series = new Map<number, SeriesState>();
  readonly foldQueue = new FoldQueue();
  readonly loose: LooseChunks;
  /** The id of the next chunk. */
  nextChunk = 1;
  /** Raw points in the file. */
  points = 0;
  /** The newest time stored, epoch ms; -Infinity when empty. */
  newestMs = -Infinity;
  private readonly names = new Map<number, Set<string>>();

  private constructor(ripe: Ripe) {
    this.loose = new LooseChunks(ripe);
  }

  /** read builds the state of a file. */
  static read(database: Database, ripe: Ripe): StoreState {
    const state = new StoreState(ripe);
    for (const row of database.prepare('SELECT * FROM series_state').all([])) {
      const foldedChunk = Number(row.folded_chunk);
      const series = {
        id: Number(row.series),
        model: Number(row.model),
        receivedMs: Number(row.received_ms),
        foldedChunk,
      };
      state.series.set(series.id, series);
      // A deleted chunk was folded, so no id up to the highest mark or row is ever given out twice to a series.
      state.nextChunk = Math.max(state.nextChunk, foldedChunk + 1);
    }
    for (const row of database.prepare('SELECT model, name FROM metric_names').all([])) {
      state.addName(Number(row.model), plainText(row.name));
    }
    const chunks = database.prepare('SELECT id, series, count, min_ms, max_ms FROM chunks ORDER BY id').all([]);
    for (const row of chunks) {
      const [id, count, minMs, maxMs] = [row.id, row.count, row.min_ms, row.max_ms].map(Number);
      const owner = state.series.get(Number(row.series));
      if (owner) state.addChunk({ model: owner.model, series: owner.id, chunk: { id, count, minMs, maxMs } });
    }
    // Two look-ups a series instead of a walk over all blocks.
    const blocks = database.prepare(
      `SELECT max((SELECT max(max_ms) FROM blocks WHERE series = t.series)) AS newest,
         (SELECT sum(count) FROM blocks) AS points FROM series_state t`,
    );
    const row = blocks.get([]);
    state.points += Number(row?.points ?? 0);
    if (typeof row?.newest === 'number') state.newestMs = Math.max(state.newestMs, row.newest);
    return state;
  }

  /** committed takes in a batch that is in the file now. */
  committed(batch: InsertedBatch): void {
    for (const series of batch.introduced) this.series.set(series.id, series);
    for (const series of batch.touched) series.receivedMs = batch.nowMs;
    for (const [model, name] of batch.names) this.addName(model, name);
    for (const chunk of batch.chunks) this.addChunk(chunk);
  }

  /** folded takes in that chunks have been counted in the rollups. */
  folded(tasks: readonly FoldTask[]): void {
    this.foldQueue.done(tasks, (series, chunk) => this.loose.add(series, chunk));
    for (const { series, chunks } of tasks) {
      const state = this.series.get(series);
      if (state) state.foldedChunk = chunks[chunks.length - 1];
    }
  }

  hasName(model: number, name: string): boolean {
    return this.names.get(model)?.has(name) ?? false;
  }

  private addName(model: number, name: string): void {
    const names = this.names.get(model) ?? new Set<string>();
    this.names.set(model, names.add(name));
  }

  private addChunk({ model, series, chunk }: StoredChunk): void {
    const isFolded = chunk.id <= (this.series.get(series)?.foldedChunk ?? 0);
    if (isFolded) this.loose.add(series, chunk);
    else this.foldQueue.add(model, series, chunk);
    this.nextChunk = Math.max(this.nextChunk, chunk.id + 1);
    this.points += chunk.count;
    this.newestMs = Math.max(this.newestMs, chunk.maxMs);
  }
}
