import { setTimeout as pause } from 'node:timers/promises';
import type { AbortableSink } from '../spool/lane.js';
import { within } from '../spool/within.js';
import type { SpoolableStore } from '../spooled-store.js';
import { StoreFault } from '../store-fault.js';
import type {
  Aggregate,
  AggregateQuery,
  DriftPoint,
  IdempotencyRecord,
  Page,
  Point,
  Position,
  Range,
  Series,
  StoreStats,
  Summary,
  WriteBatch,
} from '../point-store.js';
import { BatchEncoder } from './encode-batch.js';
import { InfluxStore, type InfluxStoreOptions } from './influx-store.js';
import { type LateReport, LateReports } from './late-report.js';

/** LateInfluxStoreOptions are those of the store, and how it is waited for. */
export interface LateInfluxStoreOptions extends InfluxStoreOptions {
  /** How long `open` waits for the server before it goes on without, ms. */
  readonly patienceMs: number;
  readonly steadyMs: () => number;
  /** Answers numbers in 0..1: spreads the tries of several processes. */
  readonly random: () => number;
  /** Called when the server's state as a person sees it has changed; it must not throw. */
  readonly report: (report: LateReport) => void;
  readonly tryPace?: TryPace;
}

/** TryPace is the first wait between tries to open the store, and the longest; each is twice as long as the one before. */
export interface TryPace {
  readonly firstMs: number;
  readonly lastMs: number;
}

const TRY_PACE: TryPace = { firstMs: 200, lastMs: 5000 };

/**
 * LateInfluxStore is an InfluxStore whose server need not be there yet. Making lines of points needs only the slot and the
 * clock, so that is done from the start; everything else rejects with a StoreFault until the store is open. Then, and
 * only then, lines go out: what the slot's last holder had not counted is known by that time.
 */
export class LateInfluxStore implements SpoolableStore, AbortableSink {
  private store: InfluxStore | null = null;
  private fault = new StoreFault('unreachable', 'InfluxDB has not answered yet');
  private readonly encoder: BatchEncoder;
  private readonly reports: LateReports;
  private readonly closing = new AbortController();
  private opening: Promise<void> = Promise.resolve();
  private known = { lastSeq: 0, newestMs: Infinity };

  private constructor(private readonly options: LateInfluxStoreOptions) {
    this.encoder = new BatchEncoder(options.writer, options.clock);
    this.reports = new LateReports(options.steadyMs, options.report);
  }

  /** open answers when the store is open, or without it when that takes too long: it is then opened behind the scenes. */
  static async open(options: LateInfluxStoreOptions): Promise<LateInfluxStore> {
    const late = new LateInfluxStore(options);
    late.opening = late.keepTrying();
    await within(late.opening, options.patienceMs);
    if (late.store) late.known = { lastSeq: late.store.lastSeq, newestMs: late.store.newestMs };
    return late;
  }

  /** isOpen tells whether the server has been asked all that a store must know. */
  get isOpen(): boolean {
    return this.store !== null;
  }

  /** whenOpen resolves when the store is open, or was closed before. */
  whenOpen(): Promise<void> {
    return this.opening;
  }

  get lastSeq(): number {
    return this.known.lastSeq;
  }

  get newestMs(): number {
    return this.known.newestMs;
  }

  encodeBatch(batch: WriteBatch): Uint8Array {
    return this.store ? this.store.encodeBatch(batch) : this.encoder.encode(batch);
  }

  /** noteKept need not know which encoder it was: the other has not heard of the batch. */
  noteKept(batch: WriteBatch): void {
    this.encoder.noteKept(batch);
    this.store?.noteKept(batch);
  }

  async writeLines(lines: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.opened().writeLines(lines, signal);
  }

  async write(batch: WriteBatch): Promise<void> {
    return this.opened().write(batch);
  }

  async recent(range: Range, limit: number, after?: Position): Promise<Page<Point>> {
    return this.opened().recent(range, limit, after);
  }

  async recentDrift(range: Range, limit: number, after?: Position): Promise<Page<DriftPoint>> {
    return this.opened().recentDrift(range, limit, after);
  }

  async aggregate(query: AggregateQuery): Promise<Aggregate> {
    return this.opened().aggregate(query);
  }

  async summary(range: Range): Promise<Summary> {
    return this.opened().summary(range);
  }

  async activeSeries(sinceMs: number, signal?: AbortSignal): Promise<readonly Series[]> {
    return this.opened().activeSeries(sinceMs, signal);
  }

  async metricNames(project: string, modelId: string): Promise<readonly string[]> {
    return this.opened().metricNames(project, modelId);
  }

  async findRecord(project: string, key: string): Promise<IdempotencyRecord | null> {
    return this.opened().findRecord(project, key);
  }

  async stats(): Promise<StoreStats> {
    return this.opened().stats();
  }

  async ping(): Promise<void> {
    return this.opened().ping();
  }

  /** close gives up opening, or closes the store. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.opening;
    await this.store?.close();
  }

  private opened(): InfluxStore {
    if (this.store) return this.store;
    const { kind, message } = this.fault;
    throw new StoreFault(kind, `InfluxDB could not be opened since the start: ${message}`, { cause: this.fault });
  }

  private async keepTrying(): Promise<void> {
    const { firstMs, lastMs } = this.options.tryPace ?? TRY_PACE;
    const { signal } = this.closing;
    for (let failures = 0; !signal.aborted; failures++) {
      if (await this.tryOnce()) return;
      const stepMs = Math.min(lastMs, firstMs * 2 ** Math.min(30, failures));
      await pause(stepMs * (0.5 + 0.5 * this.options.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  private async tryOnce(): Promise<boolean> {
    const { signal } = this.closing;
    try {
      this.store = await InfluxStore.open(this.options, signal);
      this.reports.opened();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      this.fault = openingFault(error);
      this.reports.failed(this.fault);
      return false;
    }
  }
}

/**
 * openingFault is the fault that lines meet which come while the store is not open. What was wrong with a statement of the
 * opening is nothing that is wrong with them: as `bad_points` a spool would set them aside.
 */
function openingFault(error: unknown): StoreFault {
  const message = error instanceof Error ? error.message : String(error);
  const kind = error instanceof StoreFault ? error.kind : 'refused';
  const isAboutLines = kind === 'bad_points' || kind === 'too_large';
  return new StoreFault(isAboutLines ? 'refused' : kind, message, { cause: error });
}
