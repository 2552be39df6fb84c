import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { align8, columnsOf, HEADER_BYTES, layoutOf, type ChunkLayout, type ChunkShape } from './chunk-layout.js';
import { ChunkError } from './chunk-error.js';
import { packColumn, unpackColumn } from './column-pack.js';
import { packKeys, unpackKeys } from './key-pack.js';
import { packUuids, unpackUuids } from './uuid-pack.js';

/** PACKED_VERSION is the first byte of a chunk whose parts are compressed. */
export const PACKED_VERSION = 2;

/** MAX_PACKED_POINTS bounds what a damaged packed chunk can make a reader allocate. */
const MAX_PACKED_POINTS = 1 << 20;
const MAX_COLUMNS = 1 << 16;
const MAX_TEXT_BYTES = 1 << 28;
const Texts = { deflated: 0, uuids: 1 } as const;

/** Parts are what a chunk is made of, each decoded when it is asked for. Throws ChunkError. */
export interface Parts {
  times(): Float64Array;
  seqs(): Float64Array;
  /** column is the float64 column at this place, NaN where a point lacks the metric. */
  column(place: number): Float64Array;
  /** texts are the plain bytes from the ids' lengths to the end: ids, lengths, names. */
  texts(): ArrayBuffer;
}

/** Bases are what times and seqs are counted from. */
export interface Bases {
  readonly ms: number;
  readonly seq: number;
}

/**
 * packChunk compresses a plain chunk: the same header with PACKED_VERSION; the length of every part as uint32; and,
 * each at a multiple of 8, the parts: times, seqs, one for each column, texts.
 */
export function packChunk(plain: ArrayBuffer, shape: ChunkShape): Buffer {
  const layout = layoutOf(shape);
  const parts: Uint8Array[] = [packKey(plain, layout.times, shape.count, shape.wideTimes)];
  parts.push(packKey(plain, layout.seqs, shape.count, shape.wideSeqs));
  for (let i = 0; i < columnsOf(shape); i++) {
    parts.push(packColumn(new Float64Array(plain, layout.columns + i * shape.count * 8, shape.count)));
  }
  parts.push(packTexts(new Uint8Array(plain, layout.wordLengths), layout, shape));
  const lengthsEnd = HEADER_BYTES + align8(4 * parts.length);
  const packed = Buffer.alloc(parts.reduce((end, part) => end + align8(part.length), lengthsEnd));
  packed.set(new Uint8Array(plain, 0, HEADER_BYTES));
  packed[0] = PACKED_VERSION;
  let at = lengthsEnd;
  parts.forEach((part, i) => {
    packed.writeUInt32LE(part.length, HEADER_BYTES + 4 * i);
    packed.set(part, at);
    at += align8(part.length);
  });
  return packed;
}

/** unpackParts finds the parts of a packed chunk. Throws ChunkError. */
export function unpackParts(body: ArrayBuffer, shape: ChunkShape, bases: Bases): Parts {
  const layout = layoutOf(shape);
  const columns = columnsOf(shape);
  if (shape.count > MAX_PACKED_POINTS || columns > MAX_COLUMNS)
    throw new ChunkError(`${columns}x${shape.count} values`);
  const lengthsEnd = HEADER_BYTES + align8(4 * (columns + 3));
  if (body.byteLength < lengthsEnd) throw new ChunkError(`${body.byteLength} bytes are too few for ${columns} columns`);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let at = lengthsEnd;
  for (const length of new Uint32Array(body, HEADER_BYTES, columns + 3)) {
    if (at + length > body.byteLength) throw new ChunkError('it is cut short');
    parts.push(new Uint8Array(body, at, length));
    at += align8(length);
  }
  if (at !== body.byteLength) throw new ChunkError('its parts do not fill it');
  return {
    times: () => unpackKey(parts[0], shape.count, shape.wideTimes, bases.ms),
    seqs: () => unpackKey(parts[1], shape.count, shape.wideSeqs, bases.seq),
    column: (place) => unpackColumn(parts[2 + place], shape.count),
    texts: () => unpackTexts(parts[2 + columns], layout, shape),
  };
}

function packKey(plain: ArrayBuffer, at: number, count: number, wide: boolean): Uint8Array {
  return wide ? new Uint8Array(plain, at, count * 8) : packKeys(new Uint32Array(plain, at, count));
}

function unpackKey(packed: Uint8Array<ArrayBuffer>, count: number, wide: boolean, base: number): Float64Array {
  if (!wide) return unpackKeys(packed, count, base);
  if (packed.length !== count * 8) throw new ChunkError('its times or seqs are cut short');
  return new Float64Array(packed.buffer, packed.byteOffset, count);
}

/** packTexts: ids that are all UUIDs are random bits in a long spelling, which deflate neither shrinks well nor fast. */
function packTexts(texts: Uint8Array, layout: ChunkLayout, shape: ChunkShape): Uint8Array {
  const idsEnd = shape.idUnits;
  const isCandidate = !shape.wideIds && layout.byteLengths === layout.names && layout.wordLengths === layout.ids;
  const uuids = isCandidate && idsEnd > 0 ? packUuids(texts.subarray(0, idsEnd)) : null;
  if (uuids) return Buffer.concat([Uint8Array.of(Texts.uuids), uuids, texts.subarray(idsEnd)]);
  return Buffer.concat([Uint8Array.of(Texts.deflated), deflateRawSync(texts, { level: 1 })]);
}

function unpackTexts(packed: Uint8Array, layout: ChunkLayout, shape: ChunkShape): ArrayBuffer {
  const bytes = layout.size - layout.wordLengths;
  if (bytes > MAX_TEXT_BYTES) throw new ChunkError(`${bytes} bytes of texts`);
  const texts = new Uint8Array(bytes);
  if (packed[0] === Texts.uuids) {
    const uuidBytes = (shape.idUnits / 36) * 16;
    if (packed.length !== 1 + uuidBytes + bytes - shape.idUnits) throw new ChunkError('its texts are cut short');
    unpackUuids(packed.subarray(1, 1 + uuidBytes), texts);
    texts.set(packed.subarray(1 + uuidBytes), shape.idUnits);
  } else if (packed[0] === Texts.deflated) {
    const inflated = inflate(packed.subarray(1), bytes);
    if (inflated.length !== bytes) throw new ChunkError(`${inflated.length} bytes of texts instead of ${bytes}`);
    texts.set(inflated);
  } else {
    throw new ChunkError(`its texts are packed in an unknown way ${packed[0]}`);
  }
  return texts.buffer;
}

function inflate(stream: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return inflateRawSync(stream, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (cause) {
    throw new ChunkError('its texts cannot be decompressed', { cause });
  }
}
