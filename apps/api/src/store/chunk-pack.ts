import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { ChunkHeader } from './chunk-header.js';
import { align8, bitCount, HEADER_BYTES, layoutOf, type ChunkLayout, type ChunkShape } from './chunk-layout.js';
import { ChunkError } from './chunk-error.js';
import { packColumn, unpackColumn } from './column-pack.js';
import { packKeys, unpackKeys } from './key-pack.js';
import type { Steps } from './steps.js';
import { packUuids, unpackUuids } from './uuid-pack.js';

/** PACKED_VERSION is the first byte of a chunk whose parts are compressed. */
export const PACKED_VERSION = 2;

/** MAX_PACKED_POINTS bounds what a damaged packed chunk can make a reader allocate. */
const MAX_PACKED_POINTS = 1 << 20;
const MAX_ENTRIES = 1 << 24;
const MAX_TEXT_BYTES = 1 << 28;
const Texts = { deflated: 0, uuids: 1 } as const;

/** Parts are what a chunk is made of, each decoded when it is asked for. Throws ChunkError. */
export interface Parts {
  times(): Float64Array;
  seqs(): Float64Array;
  /** column is the float64 column at this place, NaN where a point lacks the metric. */
  column(place: number): Float64Array;
  customs(): Customs;
  /** texts are the plain bytes from the ids' lengths to the end: ids, lengths, names. */
  texts(): ArrayBuffer;
}

/** Customs are the custom values, name by name, each with its row; counts says how many there are of each name. */
export interface Customs {
  readonly values: Float64Array;
  readonly rows: Uint32Array;
  readonly counts: Uint32Array;
}

/**
 * packChunkInSteps compresses a plain chunk, a part at a time: the same header with PACKED_VERSION; the length of every part as uint32; and,
 * each at a multiple of 8, the parts: times, seqs, one for each column, texts; with custom metrics also their values,
 * rows and counts.
 */
export function* packChunkInSteps(plain: ArrayBuffer, shape: ChunkShape): Steps<Buffer> {
  const layout = layoutOf(shape);
  const parts: Uint8Array[] = [packKey(plain, layout.times, shape.count, shape.wideTimes)];
  parts.push(packKey(plain, layout.seqs, shape.count, shape.wideSeqs));
  yield;
  for (let i = 0; i < bitCount(shape.mask); i++) {
    parts.push(packColumn(new Float64Array(plain, layout.columns + i * shape.count * 8, shape.count)));
    yield;
  }
  parts.push(packTexts(new Uint8Array(plain, layout.wordLengths), layout, shape));
  yield;
  if (shape.customs > 0) {
    parts.push(packColumn(new Float64Array(plain, layout.customValues, shape.entries)));
    parts.push(packKeys(new Uint32Array(plain, layout.customRows, shape.entries)));
    parts.push(packKeys(new Uint32Array(plain, layout.customCounts, shape.customs)));
  }
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
export function unpackParts(body: ArrayBuffer, { shape, baseMs, baseSeq }: ChunkHeader): Parts {
  const layout = layoutOf(shape);
  const { count, entries, customs } = shape;
  const columns = bitCount(shape.mask);
  if (count > MAX_PACKED_POINTS || entries > MAX_ENTRIES || customs > entries) {
    throw new ChunkError(`${count} points with ${entries} values of ${customs} names`);
  }
  const parts = findParts(body, columns + (customs > 0 ? 6 : 3));
  return {
    times: () => unpackKey(parts[0], count, shape.wideTimes, baseMs),
    seqs: () => unpackKey(parts[1], count, shape.wideSeqs, baseSeq),
    column: (place) => unpackColumn(parts[2 + place], count),
    texts: () => unpackTexts(parts[2 + columns], layout, shape),
    customs: () => ({
      values: unpackColumn(parts[3 + columns], entries),
      rows: Uint32Array.from(unpackKeys(parts[4 + columns], entries, 0)),
      counts: checkedCounts(Uint32Array.from(unpackKeys(parts[5 + columns], customs, 0)), entries),
    }),
  };
}

function findParts(body: ArrayBuffer, count: number): readonly Uint8Array<ArrayBuffer>[] {
  const lengthsEnd = HEADER_BYTES + align8(4 * count);
  if (body.byteLength < lengthsEnd) throw new ChunkError(`${body.byteLength} bytes are too few for ${count} parts`);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let at = lengthsEnd;
  for (const length of new Uint32Array(body, HEADER_BYTES, count)) {
    if (at + length > body.byteLength) throw new ChunkError('it is cut short');
    parts.push(new Uint8Array(body, at, length));
    at += align8(length);
  }
  if (at !== body.byteLength) throw new ChunkError('its parts do not fill it');
  return parts;
}

/** checkedCounts throws ChunkError unless the counts of all names add up to the number of entries. */
export function checkedCounts(counts: Uint32Array, entries: number): Uint32Array {
  let sum = 0;
  for (const count of counts) sum += count;
  if (sum !== entries) throw new ChunkError(`${sum} custom values instead of ${entries}`);
  return counts;
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
