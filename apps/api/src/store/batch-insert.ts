import type { Database } from '@tidemark/sqlite';
import { Chunk } from './chunk.js';
import { ownersOf } from './commit.js';
import type { WaitingCommit } from './flush-queue.js';
import type { DriftPoint, IdempotencyRecord, Series } from './point-store.js';
import { MAX_OWNER_ID } from './rollup-id.js';
import { toSqlText } from './sql-text.js';
import { UNKNOWN_SERIES, type PointsMessage, type WriteMessage } from './store-messages.js';
import type { SeriesState, StoreState } from './store-state.js';

/** RECEIVED_STEP_MS is how far the stored time of a series' last point may lag behind, to spare a page a commit. */
export const RECEIVED_STEP_MS = 60_000;

/** InsertedBatch is what the writer will remember of a batch once its transaction is committed. */
export interface InsertedBatch {
  readonly nowMs: number;
  /** The states of the message's newSeries, in step. */
  readonly introduced: readonly SeriesState[];
  readonly touched: readonly SeriesState[];
  readonly names: readonly (readonly [model: number, name: string])[];
  readonly commit: (WaitingCommit & { readonly maxMs: number }) | null;
}

/** insertBatch inserts all rows of a batch. Call it inside a transaction. */
export function insertBatch(database: Database, state: StoreState, message: WriteMessage): InsertedBatch {
  const { nowMs, points } = message;
  const introduced = message.newSeries.map((series) => insertSeries(database, state, { series, nowMs }));
  const touched: SeriesState[] = [];
  const names: (readonly [number, string])[] = [];
  const owners = (points?.series ?? []).map(({ id, names: sent }) => {
    const series = id < 0 ? introduced[-1 - id] : state.series.get(id);
    if (!series) throw Object.assign(new Error(`the store has no series ${id}`), { code: UNKNOWN_SERIES });
    if (nowMs - series.receivedMs >= RECEIVED_STEP_MS) {
      const touch = 'UPDATE series_state SET received_ms = ? WHERE model = ? AND series = ?';
      database.prepare(touch).run([nowMs, series.model, series.id]);
      touched.push(series);
    }
    if (sent.length > 0) names.push(...insertNames(database, state, { model: series.model, names: sent }));
    return series.id;
  });
  const commit = points && insertCommit(database, state.nextCommit, points, owners);
  for (const drift of message.drifts) insertDrift(database, drift);
  for (const record of message.records) insertRecord(database, record);
  return { nowMs, introduced, touched, names, commit };
}

/** insertCommit puts the ids of the series in the place of their places. */
function insertCommit(
  database: Database,
  id: number,
  { buffer, count, minMs, maxMs, lastSeq }: PointsMessage,
  owners: readonly number[],
): InsertedBatch['commit'] {
  const column = ownersOf(buffer, Chunk.open(buffer));
  for (let i = 0; i < column.length; i++) column[i] = owners[column[i]];
  database
    .prepare('INSERT INTO commits (id, count, min_ms, max_ms, last_seq, body) VALUES (?, ?, ?, ?, ?, ?)')
    .run([id, count, minMs, maxMs, lastSeq, Buffer.from(buffer)]);
  return { id, count, maxMs, body: buffer };
}

interface NewSeries {
  readonly series: Series;
  readonly nowMs: number;
}

function insertSeries(database: Database, state: StoreState, { series, nowMs }: NewSeries): SeriesState {
  const model = modelIdOf(database, series.project, series.modelId);
  const key = toSqlText(series.key);
  const insert = 'INSERT OR IGNORE INTO series (key, model, model_type, tags) VALUES (?, ?, ?, ?)';
  database.prepare(insert).run([key, model, series.modelType, JSON.stringify(series.tags)]);
  const id = boundedId(database.prepare('SELECT id FROM series WHERE key = ?').get([key])?.id);
  const known = state.series.get(id);
  if (known) return known;
  const insertState = 'INSERT INTO series_state (model, series, flushed_commit, received_ms) VALUES (?, ?, 0, ?)';
  database.prepare(insertState).run([model, id, nowMs]);
  return { id, model, receivedMs: nowMs, flushedCommit: 0 };
}

function modelIdOf(database: Database, project: string, modelId: string): number {
  const names = [toSqlText(project), toSqlText(modelId)];
  database.prepare('INSERT OR IGNORE INTO models (project, model_id) VALUES (?, ?)').run(names);
  return boundedId(database.prepare('SELECT id FROM models WHERE project = ? AND model_id = ?').get(names)?.id);
}

function boundedId(id: unknown): number {
  if (Number(id) <= MAX_OWNER_ID) return Number(id);
  throw Object.assign(new RangeError(`the store has had ${MAX_OWNER_ID} series`), { code: 'STORE_EXHAUSTED' });
}

interface ModelNames {
  readonly model: number;
  readonly names: readonly string[];
}

function insertNames(
  database: Database,
  state: StoreState,
  { model, names }: ModelNames,
): (readonly [number, string])[] {
  const fresh = names.map(toSqlText).filter((name) => !state.hasName(model, name));
  const insert = database.prepare('INSERT OR IGNORE INTO metric_names (model, name) VALUES (?, ?)');
  for (const name of fresh) insert.run([model, name]);
  return fresh.map((name) => [model, name] as const);
}

function insertDrift(database: Database, drift: DriftPoint): void {
  const model = modelIdOf(database, drift.project, drift.modelId);
  const { seq, timestampMs, driftType, severity, confidence } = drift;
  database
    .prepare(
      'INSERT INTO drifts (model, seq, time_ms, drift_type, severity, confidence, tags) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    .run([model, seq, timestampMs, driftType, severity, confidence, JSON.stringify(drift.tags)]);
}

function insertRecord(database: Database, record: IdempotencyRecord): void {
  const { status, createdMs } = record;
  const [project, key, fingerprint, body] = [record.project, record.key, record.fingerprint, record.body].map(
    toSqlText,
  );
  database
    .prepare(
      'INSERT OR REPLACE INTO records (project, key, fingerprint, status, body, created_ms) VALUES (?, ?, ?, ?, ?, ?)',
    )
    .run([project, key, fingerprint, status, body, createdMs]);
}
