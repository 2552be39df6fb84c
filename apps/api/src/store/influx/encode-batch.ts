import { createHash } from 'node:crypto';
import { floorTo, HOUR_MS } from '../rollup-id.js';
import type { DriftPoint, IdempotencyRecord, Point, Series, WriteBatch } from '../point-store.js';
import { LAP } from './lap.js';
import { sortByTime } from './sort-by-time.js';
import { LineBuffer } from './line-buffer.js';
import { fieldKey, floatField, nanoseconds, stringField, tagText } from './line-protocol.js';
import { DRIFT, METRIC_NAMES, POINTS, RECORDS, SERIES, TAG_PREFIX, VALUE_PREFIX } from './names.js';
import { recordBucket, recordLow } from './record-place.js';

const LATENCY = Buffer.from(' latency=');
const THROUGHPUT = Buffer.from(',throughput=');
const ERROR_RATE = Buffer.from(',error_rate=');
const GPU_MEMORY = Buffer.from(',gpu_memory=');
const CPU_USAGE = Buffer.from(',cpu_usage=');
const MEMORY_USAGE = Buffer.from(',memory_usage=');
const REQUEST_ID = Buffer.from(',request_id=');
const SEQ = Buffer.from(',seq=');
const INTEGER_END = Buffer.from('i ');
const LINE_END = Buffer.from('\n');

/** Bytes of a batch that has nothing but a few points. */
const FEW_BYTES = 4096;

/** The most that is taken for a batch at once: points of one batch may be far larger than those of the next. */
const MOST_BYTES_AT_ONCE = 8 * 1024 * 1024;

/** What the encoder remembers of a series. */
interface Known {
  /** The line of a point up to its fields. */
  readonly prefix: Buffer;
  /** The hour in which the series was last announced, epoch ms. */
  announcedMs: number;
  /** The keys of custom values as they stand in a line, with what parts them from their neighbours. */
  readonly names: Map<string, Buffer>;
  /** Those of them that are still to be announced in that hour. */
  readonly fresh: Set<string>;
}

/** What a batch announces of a series. */
interface Announcement {
  readonly known: Known;
  readonly hourMs: number;
  readonly names: readonly string[];
}

/**
 * BatchEncoder turns batches into lines. What does not change of a series is made once. A series and the names of its
 * custom values are announced with their first point of an hour, so that a store that knows nothing can find them; and with
 * each further one until a batch that did so is kept.
 */
export class BatchEncoder {
  private readonly known = new WeakMap<Series, Known>();
  private readonly announcements = new WeakMap<WriteBatch, readonly Announcement[]>();
  /** Bytes of a point, of the last batch that had many. */
  private pointBytes = 300;

  constructor(
    private readonly writer: number,
    private readonly clock: () => number,
  ) {}

  /** encode gives the lines of a batch, each ended by a line feed. */
  encode(batch: WriteBatch): Uint8Array {
    const { points, drifts, records } = batch;
    const out = new LineBuffer(
      Math.min(MOST_BYTES_AT_ONCE, FEW_BYTES + Math.ceil(points.length * this.pointBytes * 1.05)),
    );
    const hourMs = floorTo(this.clock(), HOUR_MS);
    const announced = new Set<Series>();
    for (const point of sortByTime(points)) {
      const known = this.knownOf(point.series, hourMs);
      if (this.writePoint(out, point, known)) announced.add(point.series);
    }
    if (points.length > 100) this.pointBytes = out.length / points.length;
    for (const drift of drifts) this.writeDrift(out, drift);
    for (const record of records) writeRecord(out, record);
    const announcements = [...announced].map((series) => this.announce(out, series, hourMs));
    if (announcements.length > 0) this.announcements.set(batch, announcements);
    return out.take();
  }

  /** noteKept takes note that the lines of a batch are stored or will be: what they announce need not be announced again. */
  noteKept(batch: WriteBatch): void {
    for (const { known, hourMs, names } of this.announcements.get(batch) ?? []) {
      known.announcedMs = hourMs;
      for (const name of names) known.fresh.delete(name);
    }
  }

  /** writePoint tells whether something of the point's series is to be announced. */
  private writePoint(out: LineBuffer, point: Point, known: Known): boolean {
    out.raw(known.prefix);
    out.raw(LATENCY);
    out.float(point.latency);
    writeFloat(out, THROUGHPUT, point.throughput);
    writeFloat(out, ERROR_RATE, point.errorRate);
    writeFloat(out, GPU_MEMORY, point.gpuMemory);
    writeFloat(out, CPU_USAGE, point.cpuUsage);
    writeFloat(out, MEMORY_USAGE, point.memoryUsage);
    if (point.values !== null) writeValues(out, point.values, known);
    out.raw(REQUEST_ID);
    out.quoted(point.requestId);
    out.raw(SEQ);
    out.integer(point.seq);
    out.raw(INTEGER_END);
    out.time(point.timestampMs, point.seq % LAP);
    out.raw(LINE_END);
    return known.announcedMs === -Infinity || known.fresh.size > 0;
  }

  private writeDrift(out: LineBuffer, drift: DriftPoint): void {
    const tags =
      tagText('model', drift.modelId) + tagText('project', drift.project) + tagText('writer', `${this.writer}`);
    const fields =
      `confidence=${floatField(drift.confidence)},drift_type="${drift.driftType}",severity="${drift.severity}",` +
      `tags=${stringField(JSON.stringify(drift.tags))},seq=${drift.seq}i`;
    out.text(`${DRIFT}${tags} ${fields} ${nanoseconds(drift.timestampMs, drift.seq % LAP)}\n`);
  }

  private announce(out: LineBuffer, series: Series, hourMs: number): Announcement {
    const known = this.knownOf(series, hourMs);
    const model = tagText('model', series.modelId) + tagText('project', series.project);
    const time = nanoseconds(hourMs, this.writer);
    if (known.announcedMs === -Infinity) {
      const fields = `key=${stringField(series.key)},model_type="${series.modelType}",tags=${stringField(JSON.stringify(series.tags))}`;
      out.text(`${SERIES}${model}${tagText('series', seriesId(series))} ${fields} ${time}\n`);
    }
    const names = [...known.fresh];
    for (const name of names) out.text(`${METRIC_NAMES}${model}${tagText('name', name)} seen=1i ${time}\n`);
    return { known, hourMs, names };
  }

  private knownOf(series: Series, hourMs: number): Known {
    let known = this.known.get(series);
    if (known === undefined || (known.announcedMs !== hourMs && known.announcedMs !== -Infinity)) {
      const prefix = known?.prefix ?? Buffer.from(pointPrefix(series, this.writer));
      known = { prefix, announcedMs: -Infinity, names: new Map(), fresh: new Set() };
      this.known.set(series, known);
    }
    return known;
  }
}

/** seriesId names a series in a tag: 128 bits of a hash of its key. */
export function seriesId({ key }: Series): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 22);
}

/** seriesTags are the tags of a series as they stand in a line, without the writer. */
export function seriesTags(series: Series): string {
  const own = tagText('model', series.modelId) + tagText('model_type', series.modelType);
  const tags = Object.entries(series.tags).map(([name, value]) => tagText(TAG_PREFIX + name, value));
  return own + tagText('project', series.project) + tagText('series', seriesId(series)) + tags.sort().join('');
}

function pointPrefix(series: Series, writer: number): string {
  return `${POINTS}${seriesTags(series)},writer=${writer}`;
}

function writeFloat(out: LineBuffer, name: Buffer, value: number | null): void {
  if (value === null) return;
  out.raw(name);
  out.float(value);
}

function writeValues(out: LineBuffer, values: Readonly<Record<string, number>>, known: Known): void {
  for (const [name, value] of Object.entries(values)) {
    let key = known.names.get(name);
    if (key === undefined) {
      key = Buffer.from(`,${fieldKey(VALUE_PREFIX + name)}=`);
      known.names.set(name, key);
      known.fresh.add(name);
    }
    out.raw(key);
    out.float(value);
  }
}

function writeRecord(out: LineBuffer, record: IdempotencyRecord): void {
  const fields =
    `body=${stringField(record.body)},fingerprint=${stringField(record.fingerprint)},key=${stringField(record.key)},` +
    `project=${stringField(record.project)},status=${record.status}i`;
  const time = nanoseconds(record.createdMs, recordLow(record));
  out.text(`${RECORDS}${tagText('bucket', recordBucket(record))} ${fields} ${time}\n`);
}
