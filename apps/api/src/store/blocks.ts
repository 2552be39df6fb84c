import type { Database, SqlRow } from '@tidemark/sqlite';
import { Chunk } from './chunk.js';
import { ChunkError } from './chunk-error.js';
import { gatherInSteps, joinPoints, slicePoints, type GatheredPoints } from './gathered-points.js';
import { packInSteps } from './pack-points.js';
import { floorTo, HOUR_MS } from './rollup-id.js';
import type { Steps } from './steps.js';

/** BLOCK_POINTS is how many points make a good block: some 5 ms to merge, under 1 ms to read a column of. */
const BLOCK_POINTS = 4096;
/** Blocks may be half as large again, so that a little more than one block is not two half ones. */
const MAX_BLOCK_POINTS = BLOCK_POINTS * 1.5;
const BODIES_A_QUERY = 16;
/** Ids begin at 1. */
const NO_ID = -1;

/** NewBlock is a row of blocks that is not in the file yet. */
interface NewBlock {
  readonly minMs: number;
  readonly maxMs: number;
  readonly count: number;
  readonly body: Buffer;
}

/** BlockChange is what is to become of the blocks of one series. */
export interface BlockChange {
  readonly series: number;
  readonly added: readonly NewBlock[];
  /** Ids of blocks whose points are in the added ones. */
  readonly removed: readonly number[];
}

/**
 * packBlocks makes blocks of points of one series: packed chunks, sorted, of one hour or less each, which bounds what
 * retention and reads have to look at. It reads the file and changes nothing in it.
 */
export function* packBlocks(database: Database, series: number, points: GatheredPoints): Steps<BlockChange> {
  const { times } = points;
  const added: NewBlock[] = [];
  const removed: number[] = [];
  for (let from = 0, to = 0; from < times.length; from = to) {
    const hourMs = floorTo(times[from], HOUR_MS);
    while (to < times.length && times[to] < hourMs + HOUR_MS) to++;
    const joined = yield* joinSmall(database, { series, hourMs }, slicePoints(points, from, to));
    removed.push(...joined.ids);
    yield* packInto(added, joined.points);
  }
  return { series, added, removed };
}

/** areStored tells whether the blocks that a change removes are still there: retention may have come between. */
export function areStored(database: Database, { removed }: BlockChange): boolean {
  const find = database.prepare('SELECT 1 FROM blocks WHERE id = ?');
  return removed.every((id) => find.get([id]) !== undefined);
}

/** applyBlocks makes a change in the file. Call it inside a transaction. */
export function applyBlocks(database: Database, { series, added, removed }: BlockChange): void {
  for (const id of removed) database.prepare('DELETE FROM blocks WHERE id = ?').run([id]);
  const insert = database.prepare('INSERT INTO blocks (series, min_ms, max_ms, count, body) VALUES (?, ?, ?, ?, ?)');
  for (const { minMs, maxMs, count, body } of added) insert.run([series, minMs, maxMs, count, body]);
}

/** readBlocks fetches blocks by id, in ascending order; those that are gone are left out. */
export function readBlocks(
  database: Database,
  ids: readonly number[],
): { readonly id: number; readonly chunk: Chunk }[] {
  const rows: SqlRow[] = [];
  if (ids.length === 1) rows.push(...database.prepare('SELECT id, body FROM blocks WHERE id = ?').all(ids));
  const marks = Array.from({ length: BODIES_A_QUERY }, () => '?').join(', ');
  const statement = database.prepare(`SELECT id, body FROM blocks WHERE id IN (${marks}) ORDER BY id`);
  for (let from = 0; ids.length > 1 && from < ids.length; from += BODIES_A_QUERY) {
    rows.push(...statement.all(Array.from({ length: BODIES_A_QUERY }, (_, i) => ids[from + i] ?? NO_ID)));
  }
  return rows.map((row) => ({ id: Number(row.id), chunk: Chunk.open(toBody(row)) }));
}

/** toBody takes the body out of a row. */
export function toBody(row: SqlRow): ArrayBuffer {
  if (row.body instanceof ArrayBuffer) return row.body;
  throw new TypeError('a row holds no blob where its body should be');
}

interface SeriesHour {
  readonly series: number;
  readonly hourMs: number;
}

interface Joined {
  readonly points: GatheredPoints;
  /** Of the blocks that were joined. */
  readonly ids: readonly number[];
}

/**
 * joinSmall joins the points of small blocks of the hour to those that come. A block joins only when about as much comes
 * in, so that each point is rewritten a logarithmic number of times.
 */
function* joinSmall(database: Database, { series, hourMs }: SeriesHour, points: GatheredPoints): Steps<Joined> {
  const small = database
    .prepare(
      'SELECT id, count FROM blocks WHERE series = ? AND max_ms >= ? AND max_ms < ? AND count < ? ORDER BY count',
    )
    .all([series, hourMs, hourMs + HOUR_MS, BLOCK_POINTS / 2]);
  const ids: number[] = [];
  let count = points.times.length;
  for (const row of small) {
    if (Number(row.count) > 2 * count) break;
    ids.push(Number(row.id));
    count += Number(row.count);
  }
  if (ids.length === 0) return { points, ids };
  const stored = yield* gatherUndamaged(database, ids);
  return stored ? { points: joinPoints(stored, points), ids } : { points, ids: [] };
}

/** gatherUndamaged returns null when a block is damaged: it stays as it is, for reads to report. */
function* gatherUndamaged(database: Database, ids: readonly number[]): Steps<GatheredPoints | null> {
  try {
    return yield* gatherInSteps(readBlocks(database, ids).map(({ chunk }) => ({ chunk, rows: null })));
  } catch (error) {
    if (error instanceof ChunkError) return null;
    throw error;
  }
}

function* packInto(blocks: NewBlock[], points: GatheredPoints): Steps<void> {
  const { length } = points.times;
  const parts = Math.ceil(length / MAX_BLOCK_POINTS);
  for (let part = 0; part < parts; part++) {
    const slice = slicePoints(points, Math.floor((length * part) / parts), Math.floor((length * (part + 1)) / parts));
    const { times } = slice;
    const body = yield* packInSteps(slice);
    blocks.push({ minMs: times[0], maxMs: times[times.length - 1], count: times.length, body });
  }
}
