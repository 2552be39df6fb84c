import { writeHeader } from './chunk-header.js';
import { layoutOf, LengthMode, type ChunkLayout, type ChunkShape } from './chunk-layout.js';
import { packChunkInSteps } from './chunk-pack.js';
import type { GatheredPoints } from './gathered-points.js';
import { finish, type Steps } from './steps.js';

/** packPoints writes points (at least one) as a packed chunk. */
export function packPoints(points: GatheredPoints): Buffer {
  return finish(packInSteps(points));
}

/** packInSteps is the same, a column at a time. */
export function* packInSteps(points: GatheredPoints): Steps<Buffer> {
  const { times, seqs, metrics, customs, ids } = points;
  const idText = ids.join('');
  const longest = ids.reduce((most, id) => Math.max(most, id.length), 0);
  const isEqual = longest * ids.length === idText.length;
  const names = Buffer.from(customs.size === 0 ? '' : JSON.stringify([...customs.keys()]));
  const baseSeq = seqs.reduce((least, seq) => Math.min(least, seq), Infinity);
  const shape: ChunkShape = {
    count: times.length,
    wideTimes: !areNarrow(times, times[0]),
    wideSeqs: !areNarrow(seqs, baseSeq),
    wideIds: !isLatin1(idText),
    lengthMode: isEqual ? LengthMode.equal : longest <= 0xff ? LengthMode.bytes : LengthMode.words,
    mask: metrics.reduce((mask, column, i) => mask | (column ? 1 << i : 0), 0),
    customs: customs.size,
    entries: [...customs.values()].reduce((sum, { rows }) => sum + rows.length, 0),
    idUnits: idText.length,
    nameBytes: names.length,
  };
  const layout = layoutOf(shape);
  const plain = new ArrayBuffer(layout.size);
  const bytes = Buffer.from(plain);
  writeHeader(plain, { shape, baseMs: times[0], baseSeq, idLength: longest });
  writeKeys(plain, layout.times, times, shape.wideTimes ? null : times[0]);
  writeKeys(plain, layout.seqs, seqs, shape.wideSeqs ? null : baseSeq);
  metrics
    .filter((column) => column !== null)
    .forEach((column, i) => new Float64Array(plain, layout.columns + i * column.byteLength).set(column));
  writeCustoms(points, plain, layout);
  if (!isEqual) writeLengths(ids, plain, layout, shape.lengthMode);
  bytes.write(idText, layout.ids, shape.wideIds ? 'utf16le' : 'latin1');
  bytes.set(names, layout.names);
  yield;
  return yield* packChunkInSteps(plain, shape);
}

function writeKeys(plain: ArrayBuffer, at: number, keys: Float64Array, base: number | null): void {
  if (base === null) return new Float64Array(plain, at, keys.length).set(keys);
  const narrow = new Uint32Array(plain, at, keys.length);
  for (let i = 0; i < keys.length; i++) narrow[i] = keys[i] - base;
}

function writeCustoms({ customs }: GatheredPoints, plain: ArrayBuffer, layout: ChunkLayout): void {
  let at = 0;
  let name = 0;
  for (const { rows, values } of customs.values()) {
    new Float64Array(plain, layout.customValues + at * 8, values.length).set(values);
    new Uint32Array(plain, layout.customRows + at * 4, rows.length).set(rows);
    new Uint32Array(plain, layout.customCounts + 4 * name++, 1)[0] = rows.length;
    at += rows.length;
  }
}

function writeLengths(ids: readonly string[], plain: ArrayBuffer, layout: ChunkLayout, mode: number): void {
  const lengths =
    mode === LengthMode.words ? new Uint32Array(plain, layout.wordLengths) : new Uint8Array(plain, layout.byteLengths);
  ids.forEach((id, i) => (lengths[i] = id.length));
}

function areNarrow(keys: Float64Array, base: number): boolean {
  return keys.every((key) => key - base === (key - base) >>> 0 && base + (key - base) === key);
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}
