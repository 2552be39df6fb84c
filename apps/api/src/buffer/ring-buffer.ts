import type { Page, Point, Position, Series } from '../store/point-store.js';

const COLUMNS = 8; // timestamp, seq, latency, throughput, error rate, GPU memory, CPU, memory

/** Window selects points of a ring by time, sinceMs <= timestampMs < untilMs, newest first. */
export interface Window {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly limit: number;
  readonly after?: Position;
}

/** RingAnswer is a page that is provably complete, or the fact that the ring cannot know. */
export type RingAnswer = { readonly covered: true; readonly page: Page<Point> } | { readonly covered: false };

/**
 * RingBuffer keeps the newest points of one model, by arrival, in preallocated columns.
 * It answers only what it provably covers: every stored point with a timestamp above `floorMs` is in it, because the
 * floor starts at the newest timestamp stored before the ring existed and rises with each point that leaves it.
 */
export class RingBuffer {
  private readonly numbers: Float64Array;
  private readonly requestIds: string[];
  private readonly series: (Series | null)[];
  private readonly values: (Readonly<Record<string, number>> | null)[];
  private written = 0;
  private newest: number;

  constructor(
    readonly capacity: number,
    private floorMs: number,
  ) {
    this.newest = floorMs;
    this.numbers = new Float64Array(capacity * COLUMNS);
    this.requestIds = new Array<string>(capacity).fill('');
    this.series = new Array<Series | null>(capacity).fill(null);
    this.values = new Array<Readonly<Record<string, number>> | null>(capacity).fill(null);
  }

  /** size is how many points the ring holds. */
  get size(): number {
    return Math.min(this.written, this.capacity);
  }

  /** newestMs is the highest timestamp that the ring holds or has held, or its first floor. */
  get newestMs(): number {
    return this.newest;
  }

  /** reset empties the ring for another model, of which it knows nothing up to a time; its memory is used again. */
  reset(floorMs: number): void {
    const { size } = this;
    this.requestIds.fill('', 0, size);
    this.series.fill(null, 0, size);
    this.values.fill(null, 0, size);
    this.written = 0;
    this.floorMs = floorMs;
    this.newest = floorMs;
  }

  /** push takes a stored point in, and lets the oldest arrival go when the ring is full. */
  push(point: Point): void {
    const slot = this.written % this.capacity;
    const at = slot * COLUMNS;
    const numbers = this.numbers;
    if (this.written >= this.capacity) this.floorMs = Math.max(this.floorMs, numbers[at] ?? 0);
    this.newest = Math.max(this.newest, point.timestampMs);
    numbers[at] = point.timestampMs;
    numbers[at + 1] = point.seq;
    numbers[at + 2] = point.latency;
    numbers[at + 3] = point.throughput ?? NaN;
    numbers[at + 4] = point.errorRate ?? NaN;
    numbers[at + 5] = point.gpuMemory ?? NaN;
    numbers[at + 6] = point.cpuUsage ?? NaN;
    numbers[at + 7] = point.memoryUsage ?? NaN;
    this.requestIds[slot] = point.requestId;
    this.series[slot] = point.series;
    this.values[slot] = point.values;
    this.written++;
  }

  /** read answers a window from memory if every point that belongs to the answer is provably here. */
  read(window: Window): RingAnswer {
    const slots = this.slotsWithin(window);
    const complete = window.sinceMs > this.floorMs;
    const enough = slots.length > window.limit && this.timestamp(slots[window.limit - 1]) > this.floorMs;
    if (!complete && !enough) return { covered: false };
    const chosen = slots.slice(0, window.limit);
    const items = chosen.map((slot) => this.point(slot)).filter((point) => point !== null);
    const last = items.at(-1);
    const next = last && slots.length > window.limit ? { timestampMs: last.timestampMs, seq: last.seq } : null;
    return { covered: true, page: { items, next } };
  }

  private slotsWithin({ sinceMs, untilMs, after }: Window): number[] {
    const slots: number[] = [];
    let sorted = true;
    for (let back = 1; back <= this.size; back++) {
      const slot = (this.written - back) % this.capacity;
      const time = this.timestamp(slot);
      if (time < sinceMs || time >= untilMs || (after && !isAfter(time, this.seq(slot), after))) continue;
      const previous = slots.at(-1);
      if (previous !== undefined && this.isNewer(slot, previous)) sorted = false;
      slots.push(slot);
    }
    return sorted ? slots : slots.sort((a, b) => (this.isNewer(a, b) ? -1 : 1));
  }

  private point(slot: number): Point | null {
    const series = this.series[slot];
    if (!series) return null;
    const at = slot * COLUMNS;
    return {
      series,
      seq: this.seq(slot),
      timestampMs: this.timestamp(slot),
      requestId: this.requestIds[slot] ?? '',
      latency: this.numbers[at + 2] ?? NaN,
      throughput: orNull(this.numbers[at + 3]),
      errorRate: orNull(this.numbers[at + 4]),
      gpuMemory: orNull(this.numbers[at + 5]),
      cpuUsage: orNull(this.numbers[at + 6]),
      memoryUsage: orNull(this.numbers[at + 7]),
      values: this.values[slot] ?? null,
    };
  }

  private isNewer(a: number, b: number): boolean {
    return (
      this.timestamp(a) - this.timestamp(b) > 0 ||
      (this.timestamp(a) === this.timestamp(b) && this.seq(a) > this.seq(b))
    );
  }

  private timestamp(slot: number | undefined): number {
    return slot === undefined ? -Infinity : (this.numbers[slot * COLUMNS] ?? -Infinity);
  }

  private seq(slot: number): number {
    return this.numbers[slot * COLUMNS + 1] ?? 0;
  }
}

function isAfter(timestampMs: number, seq: number, position: Position): boolean {
  return timestampMs < position.timestampMs || (timestampMs === position.timestampMs && seq < position.seq);
}

function orNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
