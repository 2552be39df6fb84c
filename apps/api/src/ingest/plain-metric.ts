import { MAX_ID_LENGTH, MAX_VALUES } from '@tidemark/types';
import type { Point } from '../store/point-store.js';
import type { ByteCursor } from './byte-cursor.js';
import { FIRST_UNSAFE } from './exact-numbers.js';
import type { KnownSeries, Span } from './known-series.js';
import { MemberNames } from './member-names.js';
import { PlainTimestamps } from './plain-timestamps.js';
import { MAX_FUTURE_MS, type TimestampBounds } from './timestamp.js';

/** PlainRequest is whose a metric is, and when it came. */
export interface PlainRequest {
  readonly project: string;
  readonly bounds: TimestampBounds;
}

/** HasGoodNames tells whether custom values may have their names. */
export type HasGoodNames = (values: Readonly<Record<string, number>>) => boolean;

const [OPEN, CLOSE, COMMA, COLON] = [0x7b, 0x7d, 0x2c, 0x3a] as const;
const MEMBERS = [
  ...['model_id', 'model_type', 'request_id', 'latency', 'throughput', 'error_rate'],
  ...['resource_usage', 'tags', 'values', 'timestamp'],
] as const;
const REQUIRED = 0b1111;
const SHARES = ['gpu_memory', 'cpu_usage', 'memory_usage'] as const;

/** PlainMetric reads one metric after the other; its fields are those of the metric being read. */
export class PlainMetric {
  private readonly modelId: Span = { start: 0, end: 0 };
  private readonly modelType: Span = { start: 0, end: 0 };
  private readonly tags: Span = { start: 0, end: 0 };
  private readonly identity = { modelId: this.modelId, modelType: this.modelType, tags: this.tags };
  private readonly members = new MemberNames(MEMBERS);
  private readonly shareNames = new MemberNames(SHARES);
  private readonly timestamps = new PlainTimestamps();
  private requestId = '';
  private latency = 0;
  private throughput: number | null = null;
  private errorRate: number | null = null;
  private gpuMemory: number | null = null;
  private cpuUsage: number | null = null;
  private memoryUsage: number | null = null;
  private values: Readonly<Record<string, number>> | null = null;
  private timestampMs = 0;

  constructor(
    private readonly series: KnownSeries,
    private readonly hasGoodNames: HasGoodNames,
  ) {}

  /** read returns the point of the metric that comes next, or null when the metric is not plain. */
  read(cursor: ByteCursor, { project, bounds }: PlainRequest, seq: number): Point | null {
    this.reset(bounds.nowMs);
    if (!this.takes(cursor)) return null;
    const { timestampMs } = this;
    const isInTime = timestampMs <= bounds.nowMs + MAX_FUTURE_MS && timestampMs >= bounds.nowMs - bounds.maxAgeMs;
    const series = isInTime ? this.series.find(project, cursor, this.identity, bounds.nowMs) : null;
    if (!series) return null;
    return {
      series,
      seq,
      timestampMs,
      requestId: this.requestId,
      latency: this.latency,
      throughput: this.throughput,
      errorRate: this.errorRate,
      gpuMemory: this.gpuMemory,
      cpuUsage: this.cpuUsage,
      memoryUsage: this.memoryUsage,
      values: this.values,
    };
  }

  private reset(nowMs: number): void {
    this.tags.start = this.tags.end = 0;
    this.throughput = this.errorRate = this.values = null;
    this.gpuMemory = this.cpuUsage = this.memoryUsage = null;
    this.timestampMs = nowMs;
  }

  /** A member that comes twice is not plain: the parser knows which of them counts. */
  private takes(cursor: ByteCursor): boolean {
    if (!cursor.takes(OPEN)) return false;
    let seen = 0;
    let member = this.members.start;
    do {
      member = this.members.take(cursor, member);
      if (member < 0 || (seen >> member) & 1 || !this.takesMember(cursor, member)) return false;
      seen |= 1 << member;
    } while (cursor.takes(COMMA));
    return cursor.takes(CLOSE) && (seen & REQUIRED) === REQUIRED;
  }

  /** The cases are the places in MEMBERS. */
  private takesMember(cursor: ByteCursor, member: number): boolean {
    switch (member) {
      case 0:
        return takesId(cursor) && keep(this.modelId, cursor);
      case 1:
        return cursor.takesText() && keep(this.modelType, cursor);
      case 2:
        if (!takesId(cursor)) return false;
        this.requestId = cursor.text();
        return true;
      case 3:
        this.latency = cursor.number();
        return this.latency > 0 && this.latency < FIRST_UNSAFE;
      case 4:
        this.throughput = orNull(cursor);
        return this.throughput === null || (this.throughput > 0 && this.throughput < FIRST_UNSAFE);
      case 5:
        this.errorRate = orNull(cursor);
        return isShare(this.errorRate);
      case 6:
        return cursor.takesNull() || this.takesShares(cursor);
      case 7:
        return cursor.takesFlatObject() && keep(this.tags, cursor);
      case 8:
        return cursor.takesNull() || this.takesValues(cursor);
      default:
        return cursor.takesNull() || this.takesTime(cursor);
    }
  }

  private takesShares(cursor: ByteCursor): boolean {
    if (!cursor.takes(OPEN)) return false;
    if (cursor.takes(CLOSE)) return true;
    let seen = 0;
    let place = this.shareNames.start;
    do {
      place = this.shareNames.take(cursor, place);
      if (place < 0 || (seen >> place) & 1) return false;
      seen |= 1 << place;
      const share = orNull(cursor);
      if (!isShare(share)) return false;
      if (place === 0) this.gpuMemory = share;
      else if (place === 1) this.cpuUsage = share;
      else this.memoryUsage = share;
    } while (cursor.takes(COMMA));
    return cursor.takes(CLOSE);
  }

  private takesValues(cursor: ByteCursor): boolean {
    if (!cursor.takes(OPEN)) return false;
    const start = cursor.at - 1;
    let count = 0;
    if (!cursor.takes(CLOSE)) {
      do {
        if (++count > MAX_VALUES || !cursor.takesText() || !cursor.takes(COLON)) return false;
        if (!(Math.abs(cursor.number()) < FIRST_UNSAFE)) return false;
      } while (cursor.takes(COMMA));
      if (!cursor.takes(CLOSE)) return false;
    }
    // Every member was just seen to be a number.
    const values = JSON.parse(cursor.bytes.toString('latin1', start, cursor.at)) as Readonly<Record<string, number>>;
    this.values = values;
    return this.hasGoodNames(values);
  }

  private takesTime(cursor: ByteCursor): boolean {
    if (cursor.takesText()) this.timestampMs = this.timestamps.read(cursor);
    else this.timestampMs = Math.floor(cursor.number());
    return !Number.isNaN(this.timestampMs);
  }
}

function takesId(cursor: ByteCursor): boolean {
  return cursor.takesText() && cursor.end > cursor.start && cursor.end - cursor.start <= MAX_ID_LENGTH;
}

function keep(span: Span, { start, end }: ByteCursor): boolean {
  span.start = start;
  span.end = end;
  return true;
}

/** NaN for what is neither null nor a plain number. */
function orNull(cursor: ByteCursor): number | null {
  return cursor.takesNull() ? null : cursor.number();
}

function isShare(value: number | null): boolean {
  return value === null || (value >= 0 && value <= 1);
}
