import type { Database } from '@tidemark/sqlite';
import { Chunk } from './chunk.js';
import { readBodies, toBody } from './chunk-walk.js';
import { mergeChunks } from './merge-chunks.js';
import { HOUR_MS } from './rollup-id.js';

/** BLOCK_POINTS is how many points make a good block: some 5 ms to merge, under 1 ms to read a column of. */
export const BLOCK_POINTS = 4096;
/** Blocks may be half as large again, so that a little more than one block is not two half ones. */
const MAX_BLOCK_POINTS = BLOCK_POINTS * 1.5;

/** CompactTask is folded chunks of one series and hour. */
export interface CompactTask {
  readonly series: number;
  readonly hourMs: number;
  readonly chunks: readonly number[];
}

/**
 * compactTask moves chunks from the table of commits to the table of blocks, merged with the small blocks of their
 * hour. Throws ChunkError when one is damaged. Call it inside a transaction, and only for folded chunks: a block counts as folded by being one, so neither
 * ids nor marks have to tell which of its points the rollups hold.
 */
export function compactTask(database: Database, { series, hourMs, chunks }: CompactTask): void {
  const sources = readBodies(database, 'chunks', chunks).map((row) => Chunk.open(toBody(row)));
  let points = sources.reduce((sum, chunk) => sum + chunk.count, 0);
  if (points === 0) return;
  const small = database
    .prepare(
      'SELECT id, count FROM blocks WHERE series = ? AND max_ms >= ? AND max_ms < ? AND count < ? ORDER BY count',
    )
    .all([series, hourMs, hourMs + HOUR_MS, BLOCK_POINTS / 2]);
  const joined: number[] = [];
  for (const row of small) {
    // A block joins only when about as much comes in: each point is rewritten a logarithmic number of times.
    if (Number(row.count) > 2 * points) break;
    joined.push(Number(row.id));
    points += Number(row.count);
  }
  const blocks = readBodies(database, 'blocks', joined).map((row) => Chunk.open(toBody(row)));
  const merged = mergeChunks([...sources, ...blocks], MAX_BLOCK_POINTS);
  const insert = database.prepare('INSERT INTO blocks (series, min_ms, max_ms, count, body) VALUES (?, ?, ?, ?, ?)');
  for (const { minMs, maxMs, count, body } of merged) insert.run([series, minMs, maxMs, count, body]);
  for (const id of joined) database.prepare('DELETE FROM blocks WHERE id = ?').run([id]);
  dropChunks(database, chunks);
}

/** dropChunks deletes chunks of the table of commits; the highest seq ever stored outlives them. */
export function dropChunks(database: Database, ids: readonly number[]): void {
  let lastSeq = 0;
  const drop = database.prepare('DELETE FROM chunks WHERE id = ? RETURNING last_seq');
  for (const id of ids) for (const row of drop.all([id])) lastSeq = Math.max(lastSeq, Number(row.last_seq));
  database
    .prepare(
      `INSERT INTO meta (name, value) VALUES ('last_seq', ?)
       ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`,
    )
    .run([lastSeq]);
}
