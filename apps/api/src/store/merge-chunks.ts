import type { Chunk } from './chunk.js';
import { writePlainHeader } from './chunk-header.js';
import { layoutOf, LengthMode, METRICS, type ChunkShape } from './chunk-layout.js';
import { packChunk } from './chunk-pack.js';

/** MergedChunk is a packed chunk of points in ascending (time, seq) order. */
export interface MergedChunk {
  readonly body: Buffer;
  readonly count: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** mergeChunks sorts the points of several chunks of one series and packs them into as few chunks of maxPoints as hold them. */
export function mergeChunks(chunks: readonly Chunk[], maxPoints: number): readonly MergedChunk[] {
  const times = concat(chunks, (chunk) => chunk.times());
  const seqs = concat(chunks, (chunk) => chunk.seqs());
  const order = sortedOrder(times, seqs);
  const metrics = METRICS.map((_, i) => concatPresent(chunks, (chunk) => chunk.builtIn(i)));
  const names = [...new Set(chunks.flatMap((chunk) => chunk.names()))];
  const customs = names.map((name) => concatPresent(chunks, (chunk) => chunk.custom(name)));
  const ids = chunks.flatMap((chunk) => Array.from({ length: chunk.count }, (_, i) => chunk.requestId(i)));
  const parts = Math.ceil(order.length / maxPoints);
  return Array.from({ length: parts }, (_, part) => {
    const rows = order.subarray((order.length * part) / parts, (order.length * (part + 1)) / parts);
    const pick = (column: Float64Array | null): Float64Array | null => column && rowsOf(column, rows);
    const present = names.map((name, i) => ({ name, values: pick(customs[i]) })).filter(({ values }) => hasAny(values));
    return packPoints({
      times: rowsOf(times, rows),
      seqs: rowsOf(seqs, rows),
      metrics: metrics.map(pick).map((column) => (hasAny(column) ? column : null)),
      customs: present,
      ids: Array.from(rows, (row) => ids[row]),
    });
  });
}

interface PointRows {
  readonly times: Float64Array;
  readonly seqs: Float64Array;
  readonly metrics: readonly (Float64Array | null)[];
  readonly customs: readonly { readonly name: string; readonly values: Float64Array | null }[];
  readonly ids: readonly string[];
}

function packPoints(points: PointRows): MergedChunk {
  const { times, seqs, ids } = points;
  const columns = [...points.metrics, ...points.customs.map(({ values }) => values)].filter(
    (column) => column !== null,
  );
  const idText = ids.join('');
  const longest = ids.reduce((most, id) => Math.max(most, id.length), 0);
  const isEqual = longest * ids.length === idText.length;
  const names = Buffer.from(points.customs.length === 0 ? '' : JSON.stringify(points.customs.map(({ name }) => name)));
  const baseSeq = seqs.reduce((least, seq) => Math.min(least, seq), Infinity);
  const shape: ChunkShape = {
    count: times.length,
    wideTimes: !areNarrow(times, times[0]),
    wideSeqs: !areNarrow(seqs, baseSeq),
    wideIds: !isLatin1(idText),
    lengthMode: isEqual ? LengthMode.equal : longest <= 0xff ? LengthMode.bytes : LengthMode.words,
    mask: points.metrics.reduce((mask, column, i) => mask | (column ? 1 << i : 0), 0),
    customs: points.customs.length,
    idUnits: idText.length,
    nameBytes: names.length,
  };
  const layout = layoutOf(shape);
  const plain = new ArrayBuffer(layout.size);
  const bytes = Buffer.from(plain);
  const floats = new Float64Array(plain);
  const header = { shape, baseMs: times[0], baseSeq, idLength: isEqual ? longest : 0 };
  writePlainHeader(new Uint32Array(plain), floats, 0, header);
  writeKeys(plain, layout.times, times, shape.wideTimes ? null : times[0]);
  writeKeys(plain, layout.seqs, seqs, shape.wideSeqs ? null : baseSeq);
  columns.forEach((column, i) => floats.set(column, layout.columns / 8 + i * times.length));
  if (shape.lengthMode === LengthMode.words) {
    new Uint32Array(plain, layout.wordLengths, ids.length).set(ids.map((id) => id.length));
  } else if (shape.lengthMode === LengthMode.bytes) {
    bytes.set(
      ids.map((id) => id.length),
      layout.byteLengths,
    );
  }
  bytes.write(idText, layout.ids, shape.wideIds ? 'utf16le' : 'latin1');
  bytes.set(names, layout.names);
  return { body: packChunk(plain, shape), count: times.length, minMs: times[0], maxMs: times[times.length - 1] };
}

/** sortedOrder is the rows in ascending (time, seq) order; mostly they are already in it. */
function sortedOrder(times: Float64Array, seqs: Float64Array): Uint32Array {
  const order = new Uint32Array(times.length);
  let isSorted = true;
  for (let i = 0; i < order.length; i++) {
    order[i] = i;
    if (i > 0 && (times[i] < times[i - 1] || (times[i] === times[i - 1] && seqs[i] < seqs[i - 1]))) isSorted = false;
  }
  return isSorted ? order : order.sort((a, b) => times[a] - times[b] || seqs[a] - seqs[b]);
}

function concat(chunks: readonly Chunk[], columnOf: (chunk: Chunk) => Float64Array): Float64Array {
  return concatPresent(chunks, columnOf) ?? new Float64Array(0);
}

function concatPresent(chunks: readonly Chunk[], columnOf: (chunk: Chunk) => Float64Array | null): Float64Array | null {
  const columns = chunks.map(columnOf);
  if (columns.every((column) => column === null)) return null;
  const whole = new Float64Array(chunks.reduce((sum, chunk) => sum + chunk.count, 0)).fill(NaN);
  let at = 0;
  columns.forEach((column, i) => {
    if (column) whole.set(column, at);
    at += chunks[i].count;
  });
  return whole;
}

function rowsOf(column: Float64Array, rows: Uint32Array): Float64Array {
  const picked = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]];
  return picked;
}

function writeKeys(plain: ArrayBuffer, at: number, keys: Float64Array, base: number | null): void {
  if (base === null) return new Float64Array(plain, at, keys.length).set(keys);
  const narrow = new Uint32Array(plain, at, keys.length);
  for (let i = 0; i < keys.length; i++) narrow[i] = keys[i] - base;
}

function areNarrow(keys: Float64Array, base: number): boolean {
  return keys.every((key) => key - base === (key - base) >>> 0 && base + (key - base) === key);
}

function hasAny(column: Float64Array | null): column is Float64Array {
  return column !== null && column.some((value) => !Number.isNaN(value));
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}
