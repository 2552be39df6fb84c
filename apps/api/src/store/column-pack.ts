import { bitsFor, packBits, unpackBits, wordsFor } from './bit-pack.js';
import { ChunkError } from './chunk-error.js';

/** RAW is the kind of a column that is kept as float64; smaller kinds are the number of decimal digits. */
const RAW = 0xff;
const MAX_DIGITS = 6;
const HEADER_BYTES = 8;
const LIMIT = 0x7fffffff;
const ABSENT = -0x80000000;

/**
 * packColumn writes a column of float64 as it is, or, when every number is exactly an int32 multiple of 10^-digits, as
 * the distances from the smallest multiple, bit by bit: metrics are mostly decimals of a few digits, and a general
 * compressor took ten times as long for the same size. Little endian: byte kind, byte bits, byte 1 if some are
 * absent (the distances then begin at 1), int32 at 4 the smallest multiple; the words.
 */
export function packColumn(column: Float64Array): Uint8Array<ArrayBuffer> {
  for (let digits = 0; digits <= MAX_DIGITS; digits++) {
    const scaled = scale(column, 10 ** digits);
    if (scaled) return packScaled(scaled, digits);
  }
  const packed = new Uint8Array(HEADER_BYTES + column.byteLength);
  packed[0] = RAW;
  packed.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), HEADER_BYTES);
  return packed;
}

/** unpackColumn gives back a column of `count` numbers from a part of a body that begins at a multiple of 8. Throws ChunkError. */
export function unpackColumn(packed: Uint8Array<ArrayBuffer>, count: number): Float64Array {
  if (packed.length < HEADER_BYTES) throw new ChunkError('a column is cut short');
  const [kind, bits, absents] = packed;
  const at = packed.byteOffset + HEADER_BYTES;
  if (kind === RAW) {
    if (packed.length !== HEADER_BYTES + count * 8) throw new ChunkError('a column is cut short');
    return new Float64Array(packed.buffer, at, count);
  }
  if (kind > MAX_DIGITS || bits > 32) throw new ChunkError(`a column is packed in an unknown way ${kind}/${bits}`);
  const words = wordsFor(count, bits);
  if (packed.length !== HEADER_BYTES + words * 4) throw new ChunkError('a column is cut short');
  const distances = unpackBits(new Uint32Array(packed.buffer, at, words), count, bits);
  const lowest = new DataView(packed.buffer, packed.byteOffset).getInt32(4, true) - (absents ? 1 : 0);
  const factor = 10 ** kind;
  const column = new Float64Array(count);
  for (let i = 0; i < count; i++) column[i] = (lowest + distances[i]) / factor;
  if (absents) for (let i = 0; i < count; i++) if (distances[i] === 0) column[i] = NaN;
  return column;
}

/**
 * scale returns null at the first number that does not come back exactly (-0 and what int32 cannot hold do not): a
 * decimal of few digits does, as the quotient of two exact integers is rounded just as its text is read.
 */
function scale(column: Float64Array, factor: number): Int32Array | null {
  const scaled = new Int32Array(column.length);
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (Number.isNaN(value)) {
      scaled[i] = ABSENT;
      continue;
    }
    const multiple = Math.round(value * factor);
    if (!(multiple <= LIMIT && multiple >= -LIMIT) || !Object.is(multiple / factor, value) || Object.is(multiple, -0)) {
      return null;
    }
    scaled[i] = multiple;
  }
  return scaled;
}

function packScaled(scaled: Int32Array, digits: number): Uint8Array<ArrayBuffer> {
  let lowest = LIMIT;
  let highest = -LIMIT;
  let absents = 0;
  for (let i = 0; i < scaled.length; i++) {
    if (scaled[i] === ABSENT) absents = 1;
    else if (scaled[i] < lowest) lowest = scaled[i];
    if (scaled[i] > highest) highest = scaled[i];
  }
  const distances = new Uint32Array(scaled.length);
  for (let i = 0; i < scaled.length; i++) distances[i] = scaled[i] === ABSENT ? 0 : scaled[i] - lowest + absents;
  const bits = bitsFor(Math.max(0, highest - lowest + absents));
  const words = packBits(distances, bits);
  const packed = new Uint8Array(HEADER_BYTES + words.byteLength);
  packed.set([digits, bits, absents]);
  new DataView(packed.buffer).setInt32(4, lowest, true);
  packed.set(new Uint8Array(words.buffer), HEADER_BYTES);
  return packed;
}
