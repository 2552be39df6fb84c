import { bitsFor, packBits, unpackBits, wordsFor } from './bit-pack.js';
import { ChunkError } from './chunk-error.js';

const HEADER_BYTES = 8;

/**
 * packKeys writes uint32 numbers that mostly climb in small steps (times, seqs) as the steps, signs folded in, bit by
 * bit. Little endian: byte bits, uint32 at 4 the first number; the words of count - 1 steps.
 */
export function packKeys(keys: Uint32Array): Uint8Array<ArrayBuffer> {
  const steps = new Uint32Array(Math.max(0, keys.length - 1));
  let highest = 0;
  for (let i = 0; i < steps.length; i++) {
    const step = (keys[i + 1] - keys[i]) | 0;
    steps[i] = (step << 1) ^ (step >> 31);
    if (steps[i] > highest) highest = steps[i];
  }
  const bits = bitsFor(highest);
  const words = packBits(steps, bits);
  const packed = new Uint8Array(HEADER_BYTES + words.byteLength);
  packed[0] = bits;
  new DataView(packed.buffer).setUint32(4, keys[0], true);
  packed.set(new Uint8Array(words.buffer), HEADER_BYTES);
  return packed;
}

/** unpackKeys gives back `count` (at least one) numbers, each plus `base`; `packed` begins at a multiple of 4. Throws ChunkError. */
export function unpackKeys(packed: Uint8Array<ArrayBuffer>, count: number, base: number): Float64Array {
  const bits = packed[0];
  const words = wordsFor(count - 1, bits);
  if (bits > 32 || packed.length !== HEADER_BYTES + words * 4) throw new ChunkError('its times or seqs are cut short');
  const steps = unpackBits(new Uint32Array(packed.buffer, packed.byteOffset + HEADER_BYTES, words), count - 1, bits);
  const keys = new Float64Array(count);
  let key = new DataView(packed.buffer, packed.byteOffset).getUint32(4, true);
  keys[0] = base + key;
  for (let i = 1; i < count; i++) {
    const step = steps[i - 1];
    key = (key + ((step >>> 1) ^ -(step & 1))) >>> 0;
    keys[i] = base + key;
  }
  return keys;
}
