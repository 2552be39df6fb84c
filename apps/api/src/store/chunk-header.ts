import { flagsOf, LengthMode, PLAIN_VERSION, type ChunkShape } from './chunk-layout.js';

/** PlainHeader is what a plain chunk begins with. */
export interface PlainHeader {
  readonly shape: ChunkShape;
  /** The first time, which narrow times are counted from. */
  readonly baseMs: number;
  readonly baseSeq: number;
  /** Characters of every request id; only with LengthMode.equal. */
  readonly idLength: number;
}

/**
 * writePlainHeader writes the 40 bytes at `start`, a multiple of 8. Little endian: byte version, byte flags, byte mask,
 * uint32 at 4 count, float64 at 8 and 16 the bases, uint32 at 24 idUnits, 28 nameBytes, 32 customs, 36 idLength.
 */
export function writePlainHeader(words: Uint32Array, floats: Float64Array, start: number, header: PlainHeader): void {
  const { shape, baseMs, baseSeq, idLength } = header;
  const at = start >> 2;
  words[at] = PLAIN_VERSION | (flagsOf(shape) << 8) | (shape.mask << 16);
  words[at + 1] = shape.count;
  floats[(start >> 3) + 1] = baseMs;
  floats[(start >> 3) + 2] = baseSeq;
  words[at + 6] = shape.idUnits;
  words[at + 7] = shape.nameBytes;
  words[at + 8] = shape.customs;
  words[at + 9] = shape.lengthMode === LengthMode.equal ? idLength : 0;
}
