import type { Database, SqlRow } from '@tidemark/sqlite';
import type { StoredSeries } from './series-catalog.js';

/** ChunkTable is where chunks are: as they were committed, or merged. */
export type ChunkTable = 'chunks' | 'blocks';

/** HEADS are read this many at a time, from the index alone. */
const HEADS = 64;
/** A statement costs as much as copying some 100 points, so small bodies are fetched together. */
const BODIES = 16;
const SMALL_POINTS = 256;
/** Ids begin at 1. */
const NO_ID = -1;

interface Head {
  readonly id: number;
  readonly maxMs: number;
  readonly count: number;
}

/** ChunkWalk yields the chunks of one series in one table by max_ms, newest first, reading no body before it is asked for. */
export class ChunkWalk {
  /** maxMs of the chunk that `take` returns next; -Infinity at the end. */
  maxMs = Infinity;
  private heads: readonly Head[] = [];
  private next = 0;
  private readonly bodies = new Map<number, ArrayBuffer>();

  constructor(
    readonly series: StoredSeries,
    private readonly database: Database,
    private readonly table: ChunkTable,
    /** Chunks that end before sinceMs, or begin at beforeMs or later, are left out. */
    private readonly sinceMs: number,
    private readonly beforeMs: number,
  ) {
    this.advance();
  }

  /** take returns the body of the next chunk; only to be called while maxMs is finite. */
  take(): ArrayBuffer {
    const { id } = this.heads[this.next];
    if (!this.bodies.has(id)) this.fetchBodies();
    const body = this.bodies.get(id);
    if (!body) throw new Error(`chunk ${id} is gone from ${this.table}`);
    this.bodies.delete(id);
    this.next++;
    this.advance();
    return body;
  }

  private advance(): void {
    if (this.next >= this.heads.length && (this.heads.length === 0 || this.heads.length === HEADS)) this.fetchHeads();
    this.maxMs = this.heads[this.next]?.maxMs ?? -Infinity;
  }

  private fetchHeads(): void {
    const last = this.heads.at(-1);
    const rows = this.database
      .prepare(
        `SELECT id, max_ms, count FROM ${this.table}
         WHERE series = ? AND (max_ms, id) < (?, ?) AND max_ms >= ? AND min_ms < ?
         ORDER BY max_ms DESC, id DESC LIMIT ${HEADS}`,
      )
      .all([this.series.id, last?.maxMs ?? Number.MAX_VALUE, last?.id ?? 0, this.sinceMs, this.beforeMs]);
    this.heads = rows.map((row) => ({ id: Number(row.id), maxMs: Number(row.max_ms), count: Number(row.count) }));
    this.next = 0;
  }

  private fetchBodies(): void {
    const ids: number[] = [];
    for (let i = this.next; i < this.heads.length && ids.length < BODIES; i++) {
      if (ids.length > 0 && this.heads[i].count > SMALL_POINTS) break;
      ids.push(this.heads[i].id);
      if (this.heads[i].count > SMALL_POINTS) break;
    }
    for (const row of readBodies(this.database, this.table, ids)) this.bodies.set(Number(row.id), toBody(row));
  }
}

/** toBody takes the body out of a row. */
export function toBody(row: SqlRow): ArrayBuffer {
  if (row.body instanceof ArrayBuffer) return row.body;
  throw new TypeError('a chunk row holds no blob');
}

/** readBodies fetches the bodies of chunks, in ascending order of id; those that are gone are left out. */
export function readBodies(database: Database, table: ChunkTable, ids: readonly number[]): SqlRow[] {
  if (ids.length === 1) return database.prepare(`SELECT id, body FROM ${table} WHERE id = ?`).all(ids);
  const rows: SqlRow[] = [];
  const marks = Array.from({ length: BODIES }, () => '?').join(', ');
  const statement = database.prepare(`SELECT id, body FROM ${table} WHERE id IN (${marks}) ORDER BY id`);
  for (let from = 0; from < ids.length; from += BODIES) {
    rows.push(...statement.all(Array.from({ length: BODIES }, (_, i) => ids[from + i] ?? NO_ID)));
  }
  return rows;
}
