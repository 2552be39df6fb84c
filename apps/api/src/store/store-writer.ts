import type { Database } from '@tidemark/sqlite';
import { MAX_BLOCK_POINTS } from './compact.js';
import type { FoldTask } from './fold.js';
import { FoldQueue, type WaitingChunk } from './fold-queue.js';
import type { DriftPoint, IdempotencyRecord, Series } from './point-store.js';
import { LooseChunks } from './loose-chunks.js';
import { openStoreFile } from './schema.js';
import { plainText, toSqlText } from './sql-text.js';
import {
  UNKNOWN_SERIES,
  type ChunkMessage,
  type WriteAnswer,
  type WriteMessage,
  type WriterInput,
} from './store-messages.js';

const CACHE_KIB = 8192;
const PING_BYTES = 1 << 20;
/** received_ms of a series is written again only when it is this far behind, to spare a page a commit. */
export const RECEIVED_STEP_MS = 60_000;

const INSERT_CHUNK =
  'INSERT INTO chunks (id, series, min_ms, max_ms, count, last_seq, body) VALUES (?, ?, ?, ?, ?, ?, ?)';
const TOUCH_SERIES = 'UPDATE series_state SET received_ms = ? WHERE model = ? AND series = ?';

/** SeriesState is what the writer remembers of a series. */
export interface SeriesState {
  readonly id: number;
  readonly model: number;
  receivedMs: number;
  foldedChunk: number;
}

/** StoreWriter is the only one that changes the store's file; it runs in the writer thread. */
export class StoreWriter {
  readonly foldQueue = new FoldQueue();
  readonly loose: LooseChunks;
  /** When the last batch was committed, by performance.now(). */
  lastCommitAt = -Infinity;
  /** The clock at the last batch, and the newest time stored; epoch ms. */
  nowMs: number;
  newestMs = -Infinity;
  private readonly series = new Map<number, SeriesState>();
  private readonly names = new Map<number, Set<string>>();
  private nextChunk = 1;
  private points = 0;
  private hasFailed = false;
  private isSuspect = false;

  private constructor(
    private readonly input: WriterInput,
    private database: Database,
  ) {
    this.nowMs = input.nowMs;
    this.loose = new LooseChunks({ chunks: input.pace.ripeChunks, points: MAX_BLOCK_POINTS });
  }

  static open(input: WriterInput): StoreWriter {
    const writer = new StoreWriter(input, openStoreFile(input.file, CACHE_KIB));
    writer.load();
    return writer;
  }

  lastSeq(): number {
    const seqs = [
      this.number('SELECT max(last_seq) AS n FROM chunks'),
      this.number(`SELECT value AS n FROM meta WHERE name = 'last_seq'`),
      this.number('SELECT max(seq) AS n FROM drifts'),
    ];
    return Math.max(...seqs);
  }

  /** write commits a batch: all of it or, when it throws, nothing. */
  write(message: WriteMessage): WriteAnswer {
    for (const { series } of message.chunks) {
      if (series >= 0 && !this.series.has(series)) throw unknownSeries(series);
    }
    const staged = this.commit(() => this.insert(message));
    for (const state of staged.added) this.series.set(state.id, state);
    for (const state of staged.touched) state.receivedMs = message.nowMs;
    for (const [model, name] of staged.names) this.namesOf(model).add(name);
    for (const { model, series, chunk } of staged.chunks) {
      this.foldQueue.add(model, series, chunk);
      this.points += chunk.count;
      this.newestMs = Math.max(this.newestMs, chunk.maxMs);
    }
    this.nowMs = message.nowMs;
    this.nextChunk += staged.chunks.length;
    this.lastCommitAt = performance.now();
    return { ids: staged.added.map((state) => state.id) };
  }

  /** folded tells that tasks have been committed to the rollups. */
  folded(tasks: readonly FoldTask[]): void {
    this.foldQueue.done(tasks, (series, chunk) => this.loose.add(series, chunk));
    for (const { series, chunks } of tasks) {
      const state = this.series.get(series);
      if (state) state.foldedChunk = chunks[chunks.length - 1];
    }
  }

  /** allSeries walks what is known of every series; it may be changed on the way. */
  allSeries(): Iterable<SeriesState> {
    return this.series.values();
  }

  /** dropped tells that raw points have been deleted. */
  dropped(points: number): void {
    this.points -= points;
  }

  /** forgetSeries tells that a series has been deleted; a writer that still knows its id is answered UNKNOWN_SERIES. */
  forgetSeries(id: number): void {
    this.series.delete(id);
  }

  stats(): { readonly points: number; readonly series: number } {
    return { points: this.points, series: this.series.size };
  }

  /**
   * ping makes a durable change, so that a full or broken disk shows. While the last commit failed it asks for more
   * room than a page, or a disk that is too full for any batch would pass; the pages are then free for the next one.
   */
  ping(): void {
    const bytes = this.hasFailed ? PING_BYTES : 1;
    const write = `INSERT OR REPLACE INTO meta (name, value) VALUES ('ping', zeroblob(?))`;
    this.commit((database) => database.prepare(write).run([bytes]));
    if (bytes > 1) this.commit((database) => database.prepare(write).run([1]));
  }

  close(): void {
    this.database.close();
  }

  /**
   * commit runs a transaction. After an I/O error nobody knows what the connection's cached pages are worth: the next
   * transaction then begins with a fresh connection, which fails as long as the disk does and heals when it is back.
   */
  commit<T>(work: (database: Database) => T): T {
    if (this.isSuspect) this.reopen();
    try {
      const result = this.database.transaction(() => work(this.database));
      this.hasFailed = false;
      return result;
    } catch (error) {
      this.hasFailed = true;
      this.isSuspect ||= isIoError(error);
      throw error;
    }
  }

  private reopen(): void {
    this.database.close();
    this.database = openStoreFile(this.input.file, CACHE_KIB);
    this.load();
    this.isSuspect = false;
  }

  private load(): void {
    this.series.clear();
    this.names.clear();
    this.foldQueue.clear();
    this.loose.clear();
    for (const row of this.database
      .prepare('SELECT model, series, folded_chunk, received_ms FROM series_state')
      .all([])) {
      const foldedChunk = Number(row.folded_chunk);
      const id = Number(row.series);
      this.series.set(id, { id, model: Number(row.model), receivedMs: Number(row.received_ms), foldedChunk });
      this.nextChunk = Math.max(this.nextChunk, foldedChunk + 1);
    }
    for (const row of this.database.prepare('SELECT model, name FROM metric_names').all([])) {
      this.namesOf(Number(row.model)).add(plainText(row.name));
    }
    for (const row of this.database
      .prepare('SELECT id, series, count, min_ms, max_ms FROM chunks ORDER BY id')
      .all([])) {
      const state = this.series.get(Number(row.series));
      const id = Number(row.id);
      const chunk = { id, count: Number(row.count), minMs: Number(row.min_ms), maxMs: Number(row.max_ms) };
      if (state && id > state.foldedChunk) this.foldQueue.add(state.model, state.id, chunk);
      else if (state) this.loose.add(state.id, chunk);
      this.newestMs = Math.max(this.newestMs, chunk.maxMs);
    }
    const newestBlock = this.number(
      'SELECT max((SELECT max(max_ms) FROM blocks WHERE series = t.series)) AS n FROM series_state t',
    );
    if (newestBlock !== 0) this.newestMs = Math.max(this.newestMs, newestBlock);
    // A deleted chunk was folded, so no id up to the highest of both is ever given out twice.
    this.nextChunk = Math.max(this.nextChunk, this.number('SELECT max(id) AS n FROM chunks') + 1);
    this.points = this.number('SELECT sum(count) AS n FROM chunks') + this.number('SELECT sum(count) AS n FROM blocks');
  }

  private insert(message: WriteMessage): Staged {
    const added = message.newSeries.map((series) => this.insertSeries(series, message.nowMs));
    const touched: SeriesState[] = [];
    const names: [number, string][] = [];
    const chunks: StagedChunk[] = [];
    const insertChunk = this.database.prepare(INSERT_CHUNK);
    let id = this.nextChunk;
    for (const chunk of message.chunks) {
      const state = chunk.series < 0 ? added[-1 - chunk.series] : this.series.get(chunk.series);
      if (!state) throw unknownSeries(chunk.series);
      const body = Buffer.from(message.buffer, chunk.offset, chunk.bytes);
      insertChunk.run([id, state.id, chunk.minMs, chunk.maxMs, chunk.count, chunk.lastSeq, body]);
      const { count, minMs, maxMs } = chunk;
      chunks.push({ model: state.model, series: state.id, chunk: { id: id++, count, minMs, maxMs } });
      if (message.nowMs - state.receivedMs >= RECEIVED_STEP_MS) {
        this.database.prepare(TOUCH_SERIES).run([message.nowMs, state.model, state.id]);
        touched.push(state);
      }
      if (chunk.names.length > 0) names.push(...this.insertNames(state.model, chunk));
    }
    for (const drift of message.drifts) this.insertDrift(drift);
    for (const record of message.records) this.insertRecord(record);
    return { added, touched, names, chunks };
  }

  private insertSeries(series: Series, nowMs: number): SeriesState {
    const model = this.modelId(series.project, series.modelId);
    const key = toSqlText(series.key);
    const insert = 'INSERT OR IGNORE INTO series (key, model, model_type, tags) VALUES (?, ?, ?, ?)';
    this.database.prepare(insert).run([key, model, series.modelType, JSON.stringify(series.tags)]);
    const id = Number(this.database.prepare('SELECT id FROM series WHERE key = ?').get([key])?.id);
    const known = this.series.get(id);
    if (known) return known;
    const insertState = 'INSERT INTO series_state (model, series, folded_chunk, received_ms) VALUES (?, ?, 0, ?)';
    this.database.prepare(insertState).run([model, id, nowMs]);
    return { id, model, receivedMs: nowMs, foldedChunk: 0 };
  }

  private modelId(project: string, modelId: string): number {
    const names = [toSqlText(project), toSqlText(modelId)];
    this.database.prepare('INSERT OR IGNORE INTO models (project, model_id) VALUES (?, ?)').run(names);
    return Number(this.database.prepare('SELECT id FROM models WHERE project = ? AND model_id = ?').get(names)?.id);
  }

  private insertNames(model: number, chunk: ChunkMessage): [number, string][] {
    const known = this.namesOf(model);
    const fresh = chunk.names.map(toSqlText).filter((name) => !known.has(name));
    const insert = this.database.prepare('INSERT OR IGNORE INTO metric_names (model, name) VALUES (?, ?)');
    for (const name of fresh) insert.run([model, name]);
    return fresh.map((name) => [model, name]);
  }

  private insertDrift(drift: DriftPoint): void {
    this.database
      .prepare(
        'INSERT INTO drifts (model, seq, time_ms, drift_type, severity, confidence, tags) VALUES (?, ?, ?, ?, ?, ?, ?)',
      )
      .run([
        this.modelId(drift.project, drift.modelId),
        drift.seq,
        drift.timestampMs,
        drift.driftType,
        drift.severity,
        drift.confidence,
        JSON.stringify(drift.tags),
      ]);
  }

  private insertRecord(record: IdempotencyRecord): void {
    this.database
      .prepare(
        'INSERT OR REPLACE INTO records (project, key, fingerprint, status, body, created_ms) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run([
        toSqlText(record.project),
        toSqlText(record.key),
        toSqlText(record.fingerprint),
        record.status,
        toSqlText(record.body),
        record.createdMs,
      ]);
  }

  private namesOf(model: number): Set<string> {
    let names = this.names.get(model);
    if (!names) this.names.set(model, (names = new Set()));
    return names;
  }

  private number(sql: string): number {
    return Number(this.database.prepare(sql).get([])?.n ?? 0);
  }
}

/** Staged is what the writer will remember once the transaction is committed. */
interface Staged {
  readonly added: readonly SeriesState[];
  readonly touched: readonly SeriesState[];
  readonly names: readonly (readonly [number, string])[];
  readonly chunks: readonly StagedChunk[];
}

interface StagedChunk {
  readonly model: number;
  readonly series: number;
  readonly chunk: WaitingChunk;
}

function unknownSeries(id: number): Error {
  return Object.assign(new Error(`the store has no series ${id}`), { code: UNKNOWN_SERIES });
}

function isIoError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_CANTOPEN');
}
