import { writePlainHeader } from './chunk-header.js';
import { layoutOf, LengthMode, type ChunkShape } from './chunk-layout.js';
import type { Point, Series } from './point-store.js';
import { floorTo, HOUR_MS } from './rollup-id.js';

/** EncodedChunk is one series' share of a batch: where its plain chunk lies in the batch's buffer, and what is in it. */
export interface EncodedChunk {
  readonly series: Series;
  readonly offset: number;
  readonly bytes: number;
  readonly count: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly lastSeq: number;
  /** Names of the custom metrics in it. */
  readonly names: readonly string[];
}

/** EncodedPoints holds the plain chunks of a batch in one buffer, ready to be handed to another thread. */
export interface EncodedPoints {
  readonly buffer: ArrayBuffer;
  readonly chunks: readonly EncodedChunk[];
}

/**
 * encodePoints groups points by series and hour, in order of arrival, and lays each group out as a plain chunk. That no
 * chunk crosses an hour bounds what a fold touches, lets retention drop whole chunks, and lets reads bound max_ms.
 */
export function encodePoints(points: readonly Point[]): EncodedPoints {
  const groups = groupBySeries(points);
  for (;;) {
    const encoded = layOut(groups);
    if (encoded) return encoded;
  }
}

/** Group gathers the points of one series and hour; its switches start narrow and are widened when a value does not fit. */
class Group {
  readonly points: Point[] = [];
  minMs = Infinity;
  maxMs = -Infinity;
  minSeq = Infinity;
  maxSeq = -Infinity;
  mask = 1;
  idUnits = 0;
  longestId = 0;
  shortestId = Infinity;
  wideTimes = false;
  wideSeqs = false;
  wideIds = false;
  names: Map<string, number> | null = null;
  nameText = '';

  constructor(
    readonly series: Series,
    readonly fromMs: number,
  ) {}

  add(point: Point): void {
    this.points.push(point);
    const { timestampMs, seq } = point;
    if (timestampMs < this.minMs) this.minMs = timestampMs;
    if (timestampMs > this.maxMs) this.maxMs = timestampMs;
    if (seq < this.minSeq) this.minSeq = seq;
    if (seq > this.maxSeq) this.maxSeq = seq;
    const length = point.requestId.length;
    this.idUnits += length;
    if (length > this.longestId) this.longestId = length;
    if (length < this.shortestId) this.shortestId = length;
    this.mask |=
      (point.throughput === null ? 0 : 2) |
      (point.errorRate === null ? 0 : 4) |
      (point.gpuMemory === null ? 0 : 8) |
      (point.cpuUsage === null ? 0 : 16) |
      (point.memoryUsage === null ? 0 : 32);
    if (point.values !== null) this.addNames(point.values);
  }

  shape(): ChunkShape {
    return {
      count: this.points.length,
      wideTimes: this.wideTimes,
      wideSeqs: this.wideSeqs,
      wideIds: this.wideIds,
      lengthMode: this.lengthMode(),
      mask: this.mask,
      customs: this.names?.size ?? 0,
      idUnits: this.idUnits,
      nameBytes: this.names ? Buffer.byteLength(this.nameText) : 0,
    };
  }

  /** sealNames is called once when all points are in. */
  sealNames(): void {
    if (this.names) this.nameText = JSON.stringify([...this.names.keys()]);
  }

  private addNames(values: Readonly<Record<string, number>>): void {
    for (const name of Object.keys(values)) {
      this.names ??= new Map();
      if (!this.names.has(name)) this.names.set(name, this.names.size);
    }
  }

  private lengthMode(): number {
    if (this.longestId === this.shortestId) return LengthMode.equal;
    return this.longestId <= 0xff ? LengthMode.bytes : LengthMode.words;
  }
}

function groupBySeries(points: readonly Point[]): readonly Group[] {
  const latest = new Map<Series, Group>();
  const groups = new Map<string, Map<number, Group>>();
  let last: Group | undefined;
  for (const point of points) {
    if (last?.series !== point.series) last = latest.get(point.series);
    if (!last || !(point.timestampMs >= last.fromMs && point.timestampMs < last.fromMs + HOUR_MS)) {
      last = findGroup(groups, point);
      latest.set(point.series, last);
    }
    last.add(point);
  }
  const all = [...groups.values()].flatMap((hours) => [...hours.values()]);
  for (const group of all) group.sealNames();
  return all;
}

/** findGroup looks by key: two series objects may be one series. */
function findGroup(groups: Map<string, Map<number, Group>>, { series, timestampMs }: Point): Group {
  const hours = groups.get(series.key) ?? new Map<number, Group>();
  groups.set(series.key, hours);
  const fromMs = floorTo(timestampMs, HOUR_MS);
  const group = hours.get(fromMs) ?? new Group(series, fromMs);
  hours.set(fromMs, group);
  return group;
}

/** Views are one buffer seen as each of the types that a chunk is made of. */
interface Views {
  readonly floats: Float64Array;
  readonly words: Uint32Array;
  readonly halves: Uint16Array;
  readonly bytes: Uint8Array;
}

/** layOut returns null after widening a group that did not fit: fractional times, far seqs and non-Latin ids are rare. */
function layOut(groups: readonly Group[]): EncodedPoints | null {
  const chunks: EncodedChunk[] = [];
  let total = 0;
  for (const group of groups) {
    const { size } = layoutOf(group.shape());
    chunks.push({
      series: group.series,
      offset: total,
      bytes: size,
      count: group.points.length,
      minMs: group.minMs,
      maxMs: group.maxMs,
      lastSeq: group.maxSeq,
      names: group.names ? [...group.names.keys()] : [],
    });
    total += size;
  }
  const buffer = new ArrayBuffer(total);
  const views: Views = {
    floats: new Float64Array(buffer),
    words: new Uint32Array(buffer),
    halves: new Uint16Array(buffer),
    bytes: new Uint8Array(buffer),
  };
  let fits = true;
  for (let i = 0; i < groups.length; i++) fits = writeGroup(groups[i], views, chunks[i].offset) && fits;
  return fits ? { buffer, chunks } : null;
}

function writeGroup(group: Group, views: Views, start: number): boolean {
  const shape = group.shape();
  const layout = layoutOf(shape);
  const { minMs, minSeq, longestId } = group;
  const header = { shape, baseMs: minMs, baseSeq: minSeq, idLength: longestId };
  writePlainHeader(views.words, views.floats, start, header);
  if (!writeKeys(group, views, start + layout.times, start + layout.seqs)) return false;
  writeColumns(group, views.floats, (start + layout.columns) >> 3);
  if (shape.nameBytes > 0) new TextEncoder().encodeInto(group.nameText, views.bytes.subarray(start + layout.names));
  if (shape.lengthMode === LengthMode.words) {
    const at = (start + layout.wordLengths) >> 2;
    group.points.forEach((point, i) => (views.words[at + i] = point.requestId.length));
  } else if (shape.lengthMode === LengthMode.bytes) {
    const at = start + layout.byteLengths;
    group.points.forEach((point, i) => (views.bytes[at + i] = point.requestId.length));
  }
  return group.wideIds
    ? writeIds(group, views.halves, (start + layout.ids) >> 1, 0xffff)
    : writeIds(group, views.bytes, start + layout.ids, 0xff);
}

function writeKeys(group: Group, views: Views, timesAt: number, seqsAt: number): boolean {
  const { points, minMs, minSeq, wideTimes, wideSeqs } = group;
  const times = wideTimes ? views.floats.subarray(timesAt >> 3) : views.words.subarray(timesAt >> 2);
  const seqs = wideSeqs ? views.floats.subarray(seqsAt >> 3) : views.words.subarray(seqsAt >> 2);
  for (let i = 0; i < points.length; i++) {
    const time = wideTimes ? points[i].timestampMs : points[i].timestampMs - minMs;
    const seq = wideSeqs ? points[i].seq : points[i].seq - minSeq;
    times[i] = time;
    seqs[i] = seq;
    if (times[i] !== time) group.wideTimes = true;
    if (seqs[i] !== seq) group.wideSeqs = true;
  }
  return group.wideTimes === wideTimes && group.wideSeqs === wideSeqs;
}

function writeColumns(group: Group, floats: Float64Array, start: number): void {
  const { points, mask, names } = group;
  const count = points.length;
  let at = start;
  for (let i = 0; i < count; i++) floats[at + i] = points[i].latency;
  at += count;
  if (mask & 2) for (let i = 0; i < count; i++) floats[at + i] = points[i].throughput ?? NaN;
  if (mask & 2) at += count;
  if (mask & 4) for (let i = 0; i < count; i++) floats[at + i] = points[i].errorRate ?? NaN;
  if (mask & 4) at += count;
  if (mask & 8) for (let i = 0; i < count; i++) floats[at + i] = points[i].gpuMemory ?? NaN;
  if (mask & 8) at += count;
  if (mask & 16) for (let i = 0; i < count; i++) floats[at + i] = points[i].cpuUsage ?? NaN;
  if (mask & 16) at += count;
  if (mask & 32) for (let i = 0; i < count; i++) floats[at + i] = points[i].memoryUsage ?? NaN;
  if (mask & 32) at += count;
  if (!names) return;
  for (const name of names.keys()) {
    for (let i = 0; i < count; i++) {
      const { values } = points[i];
      floats[at + i] = values !== null && Object.hasOwn(values, name) ? values[name] : NaN;
    }
    at += count;
  }
}

/** writeIds copies character by character: at 36 characters that is faster than a call into the runtime for each id. */
function writeIds(group: Group, target: Uint8Array | Uint16Array, start: number, limit: number): boolean {
  let at = start;
  let highest = 0;
  for (const { requestId } of group.points) {
    for (let i = 0; i < requestId.length; i++) {
      const unit = requestId.charCodeAt(i);
      highest |= unit;
      target[at++] = unit;
    }
  }
  if (highest > limit) group.wideIds = true;
  return highest <= limit;
}
