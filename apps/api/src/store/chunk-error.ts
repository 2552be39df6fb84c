/** ChunkError says that a stored chunk is not one: cut, flipped or written by something else. */
export class ChunkError extends Error {
  readonly code = 'CHUNK_DAMAGED';

  constructor(reason: string, options?: ErrorOptions) {
    super(`damaged chunk: ${reason}`, options);
    this.name = 'ChunkError';
  }
}
