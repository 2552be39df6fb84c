import { Chunk } from './chunk.js';
import { ChunkError } from './chunk-error.js';
import { align8 } from './chunk-layout.js';

/** Commit is one batch as it was committed: a plain chunk of points of many series, and whose each point is. */
export interface Commit {
  readonly id: number;
  readonly chunk: Chunk;
  /** The id of each point's series. */
  readonly owners: Uint32Array;
}

/** openCommit reads the body of a row of commits. Throws ChunkError. */
export function openCommit(id: number, body: ArrayBuffer): Commit {
  const chunk = Chunk.open(body);
  return { id, chunk, owners: ownersOf(body, chunk) };
}

/** ownersOf are the owners behind a plain chunk, which may be written to. Throws ChunkError. */
export function ownersOf(body: ArrayBuffer, chunk: Chunk): Uint32Array {
  if (body.byteLength !== chunk.plainBytes + align8(4 * chunk.count)) throw new ChunkError('its owners do not fill it');
  return new Uint32Array(body, chunk.plainBytes, chunk.count);
}
