import type { Database, SqlRow } from '@tidemark/sqlite';
import { Chunk } from './chunk.js';
import { ChunkError } from './chunk-error.js';
import { gatherPoints, joinPoints, slicePoints, type GatheredPoints } from './gathered-points.js';
import { packPoints } from './pack-points.js';
import { floorTo, HOUR_MS } from './rollup-id.js';

/** BLOCK_POINTS is how many points make a good block: some 5 ms to merge, under 1 ms to read a column of. */
const BLOCK_POINTS = 4096;
/** Blocks may be half as large again, so that a little more than one block is not two half ones. */
const MAX_BLOCK_POINTS = BLOCK_POINTS * 1.5;
const BODIES_A_QUERY = 16;
/** Ids begin at 1. */
const NO_ID = -1;

/**
 * addBlocks stores points of one series in blocks: packed chunks, sorted, of one hour or less each, which bounds what
 * retention and reads have to look at. Call it inside a transaction.
 */
export function addBlocks(database: Database, series: number, points: GatheredPoints): void {
  const { times } = points;
  for (let from = 0, to = 0; from < times.length; from = to) {
    const hourMs = floorTo(times[from], HOUR_MS);
    while (to < times.length && times[to] < hourMs + HOUR_MS) to++;
    const ofHour = slicePoints(points, from, to);
    insertBlocks(database, series, joinSmall(database, { series, hourMs }, ofHour));
  }
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

/**
 * joinSmall takes small blocks of the hour out of the file and joins their points. A block joins only when about as much
 * comes in, so that each point is rewritten a logarithmic number of times.
 */
function joinSmall(database: Database, { series, hourMs }: SeriesHour, points: GatheredPoints): GatheredPoints {
  const small = database
    .prepare(
      'SELECT id, count FROM blocks WHERE series = ? AND max_ms >= ? AND max_ms < ? AND count < ? ORDER BY count',
    )
    .all([series, hourMs, hourMs + HOUR_MS, BLOCK_POINTS / 2]);
  const joined: number[] = [];
  let count = points.times.length;
  for (const row of small) {
    if (Number(row.count) > 2 * count) break;
    joined.push(Number(row.id));
    count += Number(row.count);
  }
  if (joined.length === 0) return points;
  const stored = gatherUndamaged(database, joined);
  if (!stored) return points;
  for (const id of joined) database.prepare('DELETE FROM blocks WHERE id = ?').run([id]);
  return joinPoints(stored, points);
}

/** gatherUndamaged returns null when a block is damaged: it stays as it is, for reads to report. */
function gatherUndamaged(database: Database, ids: readonly number[]): GatheredPoints | null {
  try {
    return gatherPoints(readBlocks(database, ids).map(({ chunk }) => ({ chunk, rows: null })));
  } catch (error) {
    if (error instanceof ChunkError) return null;
    throw error;
  }
}

function insertBlocks(database: Database, series: number, points: GatheredPoints): void {
  const insert = database.prepare('INSERT INTO blocks (series, min_ms, max_ms, count, body) VALUES (?, ?, ?, ?, ?)');
  const { length } = points.times;
  const parts = Math.ceil(length / MAX_BLOCK_POINTS);
  for (let part = 0; part < parts; part++) {
    const slice = slicePoints(points, Math.floor((length * part) / parts), Math.floor((length * (part + 1)) / parts));
    const { times } = slice;
    insert.run([series, times[0], times[times.length - 1], times.length, packPoints(slice)]);
  }
}
