import { writeHeader } from './chunk-header.js';
import { align8, layoutOf, LengthMode, type ChunkLayout, type ChunkShape } from './chunk-layout.js';
import type { Point, Series } from './point-store.js';

/** EncodedPoints is a batch as one plain chunk, followed by a uint32 for each point: the place of its series. */
export interface EncodedPoints {
  readonly buffer: ArrayBuffer;
  readonly count: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly lastSeq: number;
  readonly series: readonly EncodedSeries[];
}

/** EncodedSeries is a series of a batch and the names of the custom metrics that its points carry. */
export interface EncodedSeries {
  readonly series: Series;
  readonly names: ReadonlySet<string>;
}

/** encodePoints lays points (at least one) out as columns, in order of arrival, straight from the objects. */
export function encodePoints(points: readonly Point[]): EncodedPoints {
  const survey = new Survey();
  for (const point of points) survey.add(point);
  survey.end();
  let buffer: ArrayBuffer | null;
  do buffer = layOut(points, survey);
  while (!buffer);
  const { minMs, maxMs, maxSeq, series } = survey;
  return { buffer, count: points.length, minMs, maxMs, lastSeq: maxSeq, series };
}

/** CustomColumn is the values of one custom metric and the rows that carry them. */
interface CustomColumn {
  readonly rows: number[];
  readonly values: number[];
}

interface SurveyedSeries extends EncodedSeries {
  readonly names: Set<string>;
}

/** Survey learns the shape of a batch in a first pass; its switches begin narrow and are widened when a value does not fit. */
class Survey {
  minMs = Infinity;
  maxMs = -Infinity;
  minSeq = Infinity;
  maxSeq = -Infinity;
  longestId = 0;
  wideTimes = false;
  wideSeqs = false;
  wideIds = false;
  nameText = '';
  readonly series: SurveyedSeries[] = [];
  /** For each point, the place of its series. */
  readonly owners: number[] = [];
  readonly customs = new Map<string, CustomColumn>();
  private entries = 0;
  private mask = 1;
  private idUnits = 0;
  private shortestId = Infinity;
  private readonly byObject = new Map<Series, number>();
  private readonly byKey = new Map<string, number>();
  private lastSeries: Series | undefined;
  private lastPlace = -1;

  add(point: Point): void {
    const { timestampMs, seq, series } = point;
    if (series !== this.lastSeries) {
      this.lastSeries = series;
      this.lastPlace = this.byObject.get(series) ?? this.placeOf(series);
    }
    if (point.values !== null) this.addCustoms(point.values, this.owners.length);
    this.owners.push(this.lastPlace);
    if (timestampMs < this.minMs) this.minMs = timestampMs;
    if (timestampMs > this.maxMs) this.maxMs = timestampMs;
    if (seq < this.minSeq) this.minSeq = seq;
    if (seq > this.maxSeq) this.maxSeq = seq;
    const { length } = point.requestId;
    this.idUnits += length;
    if (length > this.longestId) this.longestId = length;
    if (length < this.shortestId) this.shortestId = length;
    this.mask |=
      (point.throughput === null ? 0 : 2) |
      (point.errorRate === null ? 0 : 4) |
      (point.gpuMemory === null ? 0 : 8) |
      (point.cpuUsage === null ? 0 : 16) |
      (point.memoryUsage === null ? 0 : 32);
  }

  end(): void {
    if (this.customs.size > 0) this.nameText = JSON.stringify([...this.customs.keys()]);
  }

  shape(): ChunkShape {
    const isEqual = this.longestId === this.shortestId;
    return {
      count: this.owners.length,
      wideTimes: this.wideTimes,
      wideSeqs: this.wideSeqs,
      wideIds: this.wideIds,
      lengthMode: isEqual ? LengthMode.equal : this.longestId <= 0xff ? LengthMode.bytes : LengthMode.words,
      mask: this.mask,
      customs: this.customs.size,
      entries: this.entries,
      idUnits: this.idUnits,
      nameBytes: Buffer.byteLength(this.nameText),
    };
  }

  /** placeOf looks by key: two objects may be one series. */
  private placeOf(series: Series): number {
    const place = this.byKey.get(series.key) ?? this.series.push({ series, names: new Set() }) - 1;
    this.byKey.set(series.key, place);
    this.byObject.set(series, place);
    return place;
  }

  private addCustoms(values: Readonly<Record<string, number>>, row: number): void {
    for (const name of Object.keys(values)) {
      let column = this.customs.get(name);
      if (!column) this.customs.set(name, (column = { rows: [], values: [] }));
      column.rows.push(row);
      column.values.push(values[name]);
      this.series[this.lastPlace].names.add(name);
      this.entries++;
    }
  }
}

/** layOut returns null after widening what did not fit: fractional times, far seqs and non-Latin ids are rare. */
function layOut(points: readonly Point[], survey: Survey): ArrayBuffer | null {
  const shape = survey.shape();
  const layout = layoutOf(shape);
  const buffer = new ArrayBuffer(layout.size + align8(points.length * 4));
  writeHeader(buffer, { shape, baseMs: survey.minMs, baseSeq: survey.minSeq, idLength: survey.longestId });
  if (!writeKeys(points, survey, buffer, layout) || !writeIds(points, survey, buffer, layout)) return null;
  writeColumns(points, shape.mask, new Float64Array(buffer, layout.columns));
  writeCustoms(survey, buffer, layout);
  if (shape.lengthMode !== LengthMode.equal) {
    const isWords = shape.lengthMode === LengthMode.words;
    const lengths = isWords ? new Uint32Array(buffer, layout.wordLengths) : new Uint8Array(buffer, layout.byteLengths);
    for (let i = 0; i < points.length; i++) lengths[i] = points[i].requestId.length;
  }
  new Uint32Array(buffer, layout.size).set(survey.owners);
  return buffer;
}

function writeKeys(points: readonly Point[], survey: Survey, buffer: ArrayBuffer, layout: ChunkLayout): boolean {
  const { minMs, minSeq, wideTimes, wideSeqs } = survey;
  const times = wideTimes ? new Float64Array(buffer, layout.times) : new Uint32Array(buffer, layout.times);
  const seqs = wideSeqs ? new Float64Array(buffer, layout.seqs) : new Uint32Array(buffer, layout.seqs);
  for (let i = 0; i < points.length; i++) {
    const time = wideTimes ? points[i].timestampMs : points[i].timestampMs - minMs;
    const seq = wideSeqs ? points[i].seq : points[i].seq - minSeq;
    times[i] = time;
    seqs[i] = seq;
    if (times[i] !== time) survey.wideTimes = true;
    if (seqs[i] !== seq) survey.wideSeqs = true;
  }
  return survey.wideTimes === wideTimes && survey.wideSeqs === wideSeqs;
}

function writeColumns(points: readonly Point[], mask: number, columns: Float64Array): void {
  const count = points.length;
  let at = 0;
  for (let i = 0; i < count; i++) columns[i] = points[i].latency;
  if (mask & 2) for (let i = 0, to = (at += count); i < count; i++) columns[to + i] = points[i].throughput ?? NaN;
  if (mask & 4) for (let i = 0, to = (at += count); i < count; i++) columns[to + i] = points[i].errorRate ?? NaN;
  if (mask & 8) for (let i = 0, to = (at += count); i < count; i++) columns[to + i] = points[i].gpuMemory ?? NaN;
  if (mask & 16) for (let i = 0, to = (at += count); i < count; i++) columns[to + i] = points[i].cpuUsage ?? NaN;
  if (mask & 32) for (let i = 0, to = (at += count); i < count; i++) columns[to + i] = points[i].memoryUsage ?? NaN;
}

function writeCustoms({ customs, nameText }: Survey, buffer: ArrayBuffer, layout: ChunkLayout): void {
  if (customs.size === 0) return;
  const values = new Float64Array(buffer, layout.customValues);
  const rows = new Uint32Array(buffer, layout.customRows);
  const counts = new Uint32Array(buffer, layout.customCounts);
  let at = 0;
  let name = 0;
  for (const column of customs.values()) {
    values.set(column.values, at);
    rows.set(column.rows, at);
    counts[name++] = column.rows.length;
    at += column.rows.length;
  }
  new TextEncoder().encodeInto(nameText, new Uint8Array(buffer, layout.names));
}

/** writeIds copies character by character: at 36 characters that is faster than a call into the runtime for each id. */
function writeIds(points: readonly Point[], survey: Survey, buffer: ArrayBuffer, layout: ChunkLayout): boolean {
  const target = survey.wideIds ? new Uint16Array(buffer, layout.ids) : new Uint8Array(buffer, layout.ids);
  let at = 0;
  let highest = 0;
  for (const { requestId } of points) {
    for (let i = 0; i < requestId.length; i++) {
      const unit = requestId.charCodeAt(i);
      highest |= unit;
      target[at++] = unit;
    }
  }
  if (survey.wideIds || highest <= 0xff) return true;
  survey.wideIds = true;
  return false;
}
