import { joinPlanes, splitPlanes } from './byte-planes.js';
import { ChunkError } from './chunk-error.js';

/** A column is kept as float64, or as int32 multiples of 10^-digits when every number in it is exactly that. */
const FLOAT64 = 0xff;
const MAX_DIGITS = 6;
const ABSENT = -0x80000000;

/** packColumn returns what a column is written as: a byte telling how, and the byte planes of its numbers. */
export function packColumn(column: Float64Array): readonly Uint8Array[] {
  for (let digits = 0; digits <= MAX_DIGITS; digits++) {
    const scaled = scale(column, 10 ** digits);
    if (scaled) return [Uint8Array.of(digits), splitPlanes(new Uint8Array(scaled.buffer), 4)];
  }
  const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
  return [Uint8Array.of(FLOAT64), splitPlanes(bytes, 8)];
}

/** unpackColumns gives back `columns` float64 columns of `count` numbers, one behind the other. Throws ChunkError. */
export function unpackColumns(packed: Uint8Array, count: number, columns: number): ArrayBuffer {
  const values = new Float64Array(count * columns);
  let at = 0;
  for (let i = 0; i < columns; i++) {
    const digits = packed[at++];
    const width = digits === FLOAT64 ? 8 : 4;
    const planes = packed.subarray(at, (at += count * width));
    if (planes.length !== count * width) throw new ChunkError('its columns are cut short');
    const target = values.subarray(i * count, (i + 1) * count);
    if (digits === FLOAT64) joinPlanes(planes, 8, new Uint8Array(values.buffer, i * count * 8, count * 8));
    else if (digits <= MAX_DIGITS) unscale(planes, 10 ** digits, target);
    else throw new ChunkError(`a column is packed in an unknown way ${digits}`);
  }
  if (at !== packed.length) throw new ChunkError('its columns are followed by something else');
  return values.buffer;
}

/**
 * scale returns null at the first number that does not come back exactly (-0 and what int32 cannot hold do not): a
 * decimal of few digits does, as the quotient of two exact integers is rounded just as its text is read.
 */
function scale(column: Float64Array, factor: number): Int32Array<ArrayBuffer> | null {
  const scaled = new Int32Array(column.length);
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (Number.isNaN(value)) {
      scaled[i] = ABSENT;
      continue;
    }
    scaled[i] = Math.round(value * factor);
    if (scaled[i] === ABSENT || !Object.is(scaled[i] / factor, value)) return null;
  }
  return scaled;
}

function unscale(planes: Uint8Array, factor: number, target: Float64Array): void {
  const scaled = new Int32Array(target.length);
  joinPlanes(planes, 4, new Uint8Array(scaled.buffer));
  for (let i = 0; i < target.length; i++) target[i] = scaled[i] === ABSENT ? NaN : scaled[i] / factor;
}
