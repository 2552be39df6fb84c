import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { bitCount, HEADER_BYTES, layoutOf, type ChunkLayout, type ChunkShape } from './chunk-layout.js';
import { packColumn, unpackColumns } from './column-pack.js';
import { ChunkError } from './chunk-error.js';
import { joinPlanes, splitPlanes } from './byte-planes.js';

/** PACKED_VERSION is the first byte of a chunk whose sections are compressed. */
export const PACKED_VERSION = 2;

/** LEVEL 1: levels above it cost twice the time for under 3% of the size, as the planes have little left to match. */
const LEVEL = 1;
const STREAMS_AT = HEADER_BYTES + 16;
const MAX_BYTES = 1 << 30;

/** Sections are the three parts of a chunk's body that are read (and decompressed) apart. */
export interface Sections {
  /** keys are times and seqs. */
  keys(): ArrayBuffer;
  /** columns are the float64 columns. */
  columns(): ArrayBuffer;
  /** texts are request ids, their lengths, and the names of the custom metrics. */
  texts(): ArrayBuffer;
}

/**
 * packChunk compresses a plain chunk: the same header with PACKED_VERSION, the lengths of three streams as uint32 and
 * one of zero, and the streams. Keys become differences from the one before; numbers are split into byte planes.
 */
export function packChunk(plain: ArrayBuffer, shape: ChunkShape): Buffer {
  const layout = layoutOf(shape);
  const streams = [packKeys(plain, shape, layout), packColumns(plain, shape, layout), packTexts(plain, layout)];
  const head = Buffer.alloc(STREAMS_AT);
  head.set(new Uint8Array(plain, 0, HEADER_BYTES));
  head[0] = PACKED_VERSION;
  streams.forEach((stream, i) => head.writeUInt32LE(stream.byteLength, HEADER_BYTES + 4 * i));
  return Buffer.concat([head, ...streams]);
}

/** unpackSections finds the streams of a packed chunk; each is decompressed when asked for. Throws ChunkError. */
export function unpackSections(body: ArrayBuffer, shape: ChunkShape, layout: ChunkLayout): Sections {
  if (body.byteLength < STREAMS_AT) throw new ChunkError(`${body.byteLength} bytes are too few for a packed header`);
  if (layout.size > MAX_BYTES) throw new ChunkError(`${layout.size} bytes of columns`);
  const [keys, columns, texts] = new Uint32Array(body.slice(HEADER_BYTES, STREAMS_AT));
  if (STREAMS_AT + keys + columns + texts !== body.byteLength) throw new ChunkError('its streams do not fill it');
  const stream = (at: number, length: number): Uint8Array => new Uint8Array(body, STREAMS_AT + at, length);
  return {
    keys: () => unpackKeys(stream(0, keys), shape, layout),
    columns: () => unpackColumns(inflate(stream(keys, columns), maxColumnBytes(shape)), shape.count, columnsOf(shape)),
    texts: () => exactly(inflate(stream(keys + columns, texts), layout.size), layout.size - layout.wordLengths),
  };
}

function packKeys(plain: ArrayBuffer, shape: ChunkShape, layout: ChunkLayout): Buffer {
  const { count, wideTimes, wideSeqs } = shape;
  const times = packKey(plain, layout.times, count, wideTimes);
  return deflateRawSync(Buffer.concat([times, packKey(plain, layout.seqs, count, wideSeqs)]), { level: LEVEL });
}

function packKey(plain: ArrayBuffer, at: number, count: number, wide: boolean): Uint8Array {
  if (wide) return splitPlanes(new Uint8Array(plain, at, count * 8), 8);
  const words = new Uint32Array(plain, at, count);
  const steps = new Uint32Array(count);
  for (let i = 0; i < count; i++) steps[i] = i === 0 ? words[0] : words[i] - words[i - 1];
  return splitPlanes(new Uint8Array(steps.buffer), 4);
}

function unpackKeys(stream: Uint8Array, shape: ChunkShape, layout: ChunkLayout): ArrayBuffer {
  const { count, wideTimes, wideSeqs } = shape;
  const timeBytes = count * (wideTimes ? 8 : 4);
  const seqBytes = count * (wideSeqs ? 8 : 4);
  const packed = new Uint8Array(exactly(inflate(stream, timeBytes + seqBytes), timeBytes + seqBytes));
  const keys = new ArrayBuffer(layout.columns - layout.times);
  unpackKey(packed.subarray(0, timeBytes), keys, 0, wideTimes);
  unpackKey(packed.subarray(timeBytes), keys, layout.seqs - layout.times, wideSeqs);
  return keys;
}

function unpackKey(planes: Uint8Array, keys: ArrayBuffer, at: number, wide: boolean): void {
  joinPlanes(planes, wide ? 8 : 4, new Uint8Array(keys, at, planes.length));
  if (wide) return;
  const words = new Uint32Array(keys, at, planes.length / 4);
  for (let i = 1; i < words.length; i++) words[i] += words[i - 1];
}

function packColumns(plain: ArrayBuffer, shape: ChunkShape, layout: ChunkLayout): Buffer {
  const { count } = shape;
  const packed: Uint8Array[] = [];
  for (let i = 0; i < columnsOf(shape); i++) {
    packed.push(...packColumn(new Float64Array(plain, layout.columns + i * count * 8, count)));
  }
  return deflateRawSync(Buffer.concat(packed), { level: LEVEL });
}

function packTexts(plain: ArrayBuffer, layout: ChunkLayout): Buffer {
  return deflateRawSync(new Uint8Array(plain, layout.wordLengths), { level: LEVEL });
}

function columnsOf(shape: ChunkShape): number {
  return bitCount(shape.mask) + shape.customs;
}

function maxColumnBytes(shape: ChunkShape): number {
  return columnsOf(shape) * (1 + shape.count * 8);
}

function inflate(stream: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return inflateRawSync(stream, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (cause) {
    throw new ChunkError('a stream cannot be decompressed', { cause });
  }
}

/** exactly gives the bytes a buffer of their own, aligned for any type. */
function exactly(bytes: Uint8Array, length: number): ArrayBuffer {
  if (bytes.length !== length) throw new ChunkError(`a stream holds ${bytes.length} bytes instead of ${length}`);
  const own = new Uint8Array(length);
  own.set(bytes);
  return own.buffer;
}
