/** METRICS are the built-in metrics in the order of their columns; custom values follow by name. */
export const METRICS = ['latency', 'throughput', 'error_rate', 'gpu_memory', 'cpu_usage', 'memory_usage'] as const;

/** HEADER_BYTES is the length of a chunk's header; a multiple of 8, so that the columns behind it are aligned. */
export const HEADER_BYTES = 48;

/** PLAIN_VERSION is the first byte of a chunk of plain columns, as it is committed. */
export const PLAIN_VERSION = 1;

/** LengthMode says how the lengths of the request ids are kept. */
export const LengthMode = { equal: 0, bytes: 1, words: 2 } as const;

/** ChunkShape is what the header tells: everything the place of each column follows from. */
export interface ChunkShape {
  readonly count: number;
  /** Timestamps are float64 instead of uint32 distances from the first: fractions, or a span over 49 days. */
  readonly wideTimes: boolean;
  readonly wideSeqs: boolean;
  /** Request ids hold characters above U+00FF and are kept as UTF-16 instead of one byte a character. */
  readonly wideIds: boolean;
  readonly lengthMode: number;
  /** Bit i is set when METRICS[i] is present in at least one point. */
  readonly mask: number;
  /** How many custom metrics there are, and how many values of them in all. */
  readonly customs: number;
  readonly entries: number;
  /** Characters of all request ids. */
  readonly idUnits: number;
  /** Bytes of the custom metrics' names, a JSON array. */
  readonly nameBytes: number;
}

/**
 * ChunkLayout is where each part of a plain chunk begins, in bytes from the start of the chunk. Little endian:
 *
 *     header | times | seqs | a float64 column for each metric of the mask
 *     | custom values | their rows | how many there are of each name
 *     | ids' lengths (words) | ids | ids' lengths (bytes) | names
 *
 * Times and seqs are padded to 8 bytes each and the whole chunk too. An absent number of a column is NaN. Custom values
 * are kept only where they are, name by name: with a column for each, every point with a name of its own would cost one.
 */
export interface ChunkLayout {
  readonly times: number;
  readonly seqs: number;
  readonly columns: number;
  readonly customValues: number;
  readonly customRows: number;
  readonly customCounts: number;
  readonly wordLengths: number;
  readonly ids: number;
  readonly byteLengths: number;
  readonly names: number;
  readonly size: number;
}

/** layoutOf places the parts of a plain chunk of this shape. */
export function layoutOf(shape: ChunkShape): ChunkLayout {
  const { count, entries } = shape;
  const times = HEADER_BYTES;
  const seqs = times + align8(count * (shape.wideTimes ? 8 : 4));
  const columns = seqs + align8(count * (shape.wideSeqs ? 8 : 4));
  const customValues = columns + count * 8 * bitCount(shape.mask);
  const customRows = customValues + entries * 8;
  const customCounts = customRows + entries * 4;
  const wordLengths = customCounts + shape.customs * 4;
  const ids = wordLengths + (shape.lengthMode === LengthMode.words ? count * 4 : 0);
  const byteLengths = ids + shape.idUnits * (shape.wideIds ? 2 : 1);
  const names = byteLengths + (shape.lengthMode === LengthMode.bytes ? count : 0);
  const size = align8(names + shape.nameBytes);
  return { times, seqs, columns, customValues, customRows, customCounts, wordLengths, ids, byteLengths, names, size };
}

/** flagsOf packs a shape's switches into the header's second byte. */
export function flagsOf(shape: ChunkShape): number {
  return (shape.wideTimes ? 1 : 0) | (shape.wideSeqs ? 2 : 0) | (shape.wideIds ? 4 : 0) | (shape.lengthMode << 3);
}

/** bitCount is the number of built-in columns in a mask of 6 bits. */
export function bitCount(mask: number): number {
  let bits = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}

/** align8 rounds up to a multiple of 8. */
export function align8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
