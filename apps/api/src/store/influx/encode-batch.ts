import { createHash } from 'node:crypto';
import { floorTo, HOUR_MS } from '../rollup-id.js';
import type { DriftPoint, IdempotencyRecord, Point, Series, WriteBatch } from '../point-store.js';
import { LineBuffer } from './line-buffer.js';
import { fieldKey, floatField, nanoseconds, stringField, tagText } from './line-protocol.js';
import { DRIFT, METRIC_NAMES, POINTS, RECORDS, SERIES, TAG_PREFIX, VALUE_PREFIX } from './names.js';
import { recordBucket, recordLow } from './record-place.js';

/** SEQ_SPAN is how many points of one series, ms and writer are told apart: the low digits of a timestamp hold them. */
const SEQ_SPAN = 1_000_000;

/** What the encoder remembers of a series. */
interface Known {
  /** The line of a point up to its fields. */
  readonly prefix: Buffer;
  /** The hour in which the series and these names were last announced, epoch ms. */
  announcedMs: number;
  readonly names: Map<string, string>;
  readonly fresh: Set<string>;
}

/**
 * BatchEncoder turns batches into lines. What does not change of a series is made once. A series and the names of its
 * custom values are announced with their first point of an hour, so that a store that knows nothing can find them.
 */
export class BatchEncoder {
  private readonly known = new WeakMap<Series, Known>();

  constructor(
    private readonly writer: number,
    private readonly clock: () => number,
  ) {}

  /** encode gives the lines of a batch, each ended by a line feed. */
  encode({ points, drifts, records }: WriteBatch): Uint8Array {
    const out = new LineBuffer();
    const hourMs = floorTo(this.clock(), HOUR_MS);
    const announced = new Set<Series>();
    for (const point of points) {
      const known = this.knownOf(point.series, hourMs);
      if (this.writePoint(out, point, known)) announced.add(point.series);
    }
    for (const drift of drifts) this.writeDrift(out, drift);
    for (const record of records) writeRecord(out, record);
    for (const series of announced) this.announce(out, series, hourMs);
    return out.take();
  }

  /** forget takes back that the series of a batch were announced: its lines were never stored. */
  forget({ points }: WriteBatch): void {
    for (const { series } of points) this.known.delete(series);
  }

  /** writePoint tells whether something of the point's series is to be announced. */
  private writePoint(out: LineBuffer, point: Point, known: Known): boolean {
    out.raw(known.prefix);
    let fields = ` latency=${floatField(point.latency)}`;
    if (point.throughput !== null) fields += `,throughput=${floatField(point.throughput)}`;
    if (point.errorRate !== null) fields += `,error_rate=${floatField(point.errorRate)}`;
    if (point.gpuMemory !== null) fields += `,gpu_memory=${floatField(point.gpuMemory)}`;
    if (point.cpuUsage !== null) fields += `,cpu_usage=${floatField(point.cpuUsage)}`;
    if (point.memoryUsage !== null) fields += `,memory_usage=${floatField(point.memoryUsage)}`;
    if (point.values !== null) fields += valuesText(point.values, known);
    fields += `,request_id=${stringField(point.requestId)}`;
    out.text(`${fields},seq=${point.seq}i ${nanoseconds(point.timestampMs, point.seq % SEQ_SPAN)}\n`);
    return known.announcedMs === -Infinity || known.fresh.size > 0;
  }

  private writeDrift(out: LineBuffer, drift: DriftPoint): void {
    const tags =
      tagText('model', drift.modelId) + tagText('project', drift.project) + tagText('writer', `${this.writer}`);
    const fields =
      `confidence=${floatField(drift.confidence)},drift_type="${drift.driftType}",severity="${drift.severity}",` +
      `tags=${stringField(JSON.stringify(drift.tags))},seq=${drift.seq}i`;
    out.text(`${DRIFT}${tags} ${fields} ${nanoseconds(drift.timestampMs, drift.seq % SEQ_SPAN)}\n`);
  }

  private announce(out: LineBuffer, series: Series, hourMs: number): void {
    const known = this.knownOf(series, hourMs);
    const model = tagText('model', series.modelId) + tagText('project', series.project);
    const time = nanoseconds(hourMs, this.writer);
    if (known.announcedMs === -Infinity) {
      const fields = `key=${stringField(series.key)},model_type="${series.modelType}",tags=${stringField(JSON.stringify(series.tags))}`;
      out.text(`${SERIES}${model}${tagText('series', seriesId(series))} ${fields} ${time}\n`);
    }
    for (const name of known.fresh) out.text(`${METRIC_NAMES}${model}${tagText('name', name)} seen=1i ${time}\n`);
    known.announcedMs = hourMs;
    known.fresh.clear();
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

function valuesText(values: Readonly<Record<string, number>>, known: Known): string {
  let text = '';
  for (const [name, value] of Object.entries(values)) {
    let key = known.names.get(name);
    if (key === undefined) {
      key = fieldKey(VALUE_PREFIX + name);
      known.names.set(name, key);
      known.fresh.add(name);
    }
    text += `,${key}=${floatField(value)}`;
  }
  return text;
}

function writeRecord(out: LineBuffer, record: IdempotencyRecord): void {
  const fields =
    `body=${stringField(record.body)},fingerprint=${stringField(record.fingerprint)},key=${stringField(record.key)},` +
    `project=${stringField(record.project)},status=${record.status}i`;
  const time = nanoseconds(record.createdMs, recordLow(record));
  out.text(`${RECORDS}${tagText('bucket', recordBucket(record))} ${fields} ${time}\n`);
}
