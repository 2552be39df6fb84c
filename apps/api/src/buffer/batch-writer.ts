import type { DriftPoint, IdempotencyRecord, Point, WriteBatch } from '../store/point-store.js';

/** Entry is what one request wants stored; it is stored whole or not at all. */
export interface Entry {
  readonly points: readonly Point[];
  readonly drifts: readonly DriftPoint[];
  readonly record?: IdempotencyRecord;
}

/** AppendOutcome says whether an entry is on disk, and if not, why and when to try again. */
export type AppendOutcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'full'; readonly retryAfterS: number }
  | { readonly kind: 'failed'; readonly retryAfterS: number; readonly cause: unknown }
  | { readonly kind: 'closed' };

/** BatchWriterOptions bound the writer. */
export interface BatchWriterOptions {
  /** write stores a batch durably, whole or not at all. */
  readonly write: (batch: WriteBatch) => Promise<void>;
  /** Points in one durable write. */
  readonly maxBatchPoints: number;
  /** How many writes may be under way. */
  readonly concurrency: WriteConcurrency;
  /** Points that may wait; past it entries are refused, but for one that finds nobody waiting: it must have a way in. */
  readonly maxQueuedPoints: number;
  /** observe is told of each write that was kept: points, and how long it took in ms. */
  readonly observe?: (points: number, durationMs: number) => void;
  readonly steadyMs: () => number;
}

/** WriteConcurrency says how many writes may be under way, and how many points must wait for one to begin beside another. */
export interface WriteConcurrency {
  readonly writes: number;
  readonly leastPoints: number;
}

interface Waiting {
  readonly entry: Entry;
  readonly size: number;
  readonly settle: (outcome: AppendOutcome) => void;
}

/** ONE_WRITE is for a store that stores one batch after the other. */
export const ONE_WRITE: WriteConcurrency = { writes: 1, leastPoints: 0 };

/**
 * BatchWriter commits in groups without a timer: a batch is whatever arrived while the writes before it ran, so a lone
 * request waits for nothing and a crowd shares one write. Each caller is answered when its own points are on disk.
 */
export class BatchWriter {
  private queue: Waiting[] = [];
  private queued = 0;
  private readonly writing = new Set<Promise<void>>();
  private isBeginning = false;
  private closed = false;

  constructor(private readonly options: BatchWriterOptions) {}

  /** queuedPoints is how many points wait, without those being written. */
  get queuedPoints(): number {
    return this.queued;
  }

  /** append stores an entry with whatever else is waiting. It never rejects. */
  append(entry: Entry): Promise<AppendOutcome> {
    if (this.closed) return Promise.resolve({ kind: 'closed' });
    const size = entry.points.length + entry.drifts.length + (entry.record ? 1 : 0);
    if (this.queued > 0 && this.queued + size > this.options.maxQueuedPoints)
      return Promise.resolve({ kind: 'full', retryAfterS: 1 });
    return new Promise((settle) => {
      this.queue.push({ entry, size, settle });
      this.queued += size;
      this.begin();
    });
  }

  /** close refuses new entries and resolves when those accepted before are settled. */
  async close(): Promise<void> {
    this.closed = true;
    this.writeMore();
    while (this.writing.size > 0) await Promise.race(this.writing);
  }

  /** Entries of the same turn of the event loop share the first write. */
  private begin(): void {
    if (this.isBeginning) return;
    this.isBeginning = true;
    queueMicrotask(() => {
      this.isBeginning = false;
      this.writeMore();
    });
  }

  private writeMore(): void {
    while (this.mayWrite()) {
      const writing = this.commit(this.take()).finally(() => {
        this.writing.delete(writing);
        this.writeMore();
      });
      this.writing.add(writing);
    }
  }

  private mayWrite(): boolean {
    const { writes, leastPoints } = this.options.concurrency;
    const underWay = this.writing.size;
    if (this.queue.length === 0 || underWay >= writes) return false;
    return underWay === 0 || this.queued >= leastPoints;
  }

  private async commit(taken: readonly Waiting[]): Promise<void> {
    const outcome = await this.write(taken);
    for (const waiting of taken) waiting.settle(outcome);
  }

  private take(): Waiting[] {
    let points = 0;
    let end = 0;
    for (const waiting of this.queue) {
      if (end > 0 && points + waiting.size > this.options.maxBatchPoints) break;
      points += waiting.size;
      end++;
    }
    const taken = this.queue.slice(0, end);
    this.queue = this.queue.slice(end);
    this.queued -= points;
    return taken;
  }

  private async write(taken: readonly Waiting[]): Promise<AppendOutcome> {
    const batch = merge(taken);
    const startedMs = this.options.steadyMs();
    try {
      await this.options.write(batch);
    } catch (cause) {
      return { kind: 'failed', retryAfterS: 1, cause };
    }
    this.options.observe?.(batch.points.length + batch.drifts.length, this.options.steadyMs() - startedMs);
    return { kind: 'stored' };
  }
}

function merge(taken: readonly Waiting[]): WriteBatch {
  const [only] = taken;
  if (only && taken.length === 1) {
    return {
      points: only.entry.points,
      drifts: only.entry.drifts,
      records: only.entry.record ? [only.entry.record] : [],
    };
  }
  const points: Point[] = [];
  const drifts: DriftPoint[] = [];
  const records: IdempotencyRecord[] = [];
  for (const { entry } of taken) {
    for (const point of entry.points) points.push(point);
    for (const drift of entry.drifts) drifts.push(drift);
    if (entry.record) records.push(entry.record);
  }
  return { points, drifts, records };
}
