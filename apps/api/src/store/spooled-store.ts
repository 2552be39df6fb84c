import { answerWithin } from '@tidemark/program';
import {
  type Aggregate,
  type AggregateQuery,
  type DriftPoint,
  type IdempotencyRecord,
  type Page,
  type Point,
  type PointStore,
  type Position,
  type Range,
  RECORD_LIFE_MS,
  type Series,
  type StoreStats,
  type Summary,
  type WriteBatch,
} from './point-store.js';
import { RecordMemory } from './record-memory.js';

/** SpoolableStore is a store on a server: what it would send can be had as lines, to be sent by somebody else. */
export interface SpoolableStore extends PointStore {
  encodeBatch(batch: WriteBatch): Uint8Array;
  /** noteKept is told of each batch whose lines the sink took. */
  noteKept(batch: WriteBatch): void;
}

/** SpoolSink takes lines for the server, or keeps them on disk until it takes them. */
export interface SpoolSink {
  write(lines: Uint8Array, points: number): Promise<void>;
  backlog(): { readonly points: number };
}

/** SpooledStoreOptions are the clocks of a SpooledStore, and what it knows from before. */
export interface SpooledStoreOptions {
  readonly wallMs: () => number;
  readonly steadyMs: () => number;
  /** Answers that wait in the spool from an earlier life; empty when absent. */
  readonly records?: RecordMemory;
}

/** How long a server is asked for an answer before it counts as away, and how long it is then not asked again. */
const FIND_DEADLINE_MS = 1000;
const BLIND_MS = 1000;

/**
 * SpooledStore is a PointStore whose writes go through a spool: acknowledged is what the server has or what is on disk
 * here. Reads ask the server; while anything waits in the spool they do not see that yet.
 */
export class SpooledStore implements PointStore {
  /** Answers to idempotent requests that the server may not have yet. */
  private readonly records: RecordMemory;
  private blindUntilMs = -Infinity;
  private unknown = 0;
  /** Not known while points of an earlier life wait: nobody has looked at their times. */
  readonly newestMs: number;

  constructor(
    private readonly store: SpoolableStore,
    private readonly sink: SpoolSink,
    private readonly options: SpooledStoreOptions,
  ) {
    this.records = options.records ?? new RecordMemory();
    this.newestMs = sink.backlog().points > 0 ? Infinity : store.newestMs;
  }

  /** unknownAnswers counts the look-ups of answers that the server could not be asked for. */
  get unknownAnswers(): number {
    return this.unknown;
  }

  get lastSeq(): number {
    return this.store.lastSeq;
  }

  async write(batch: WriteBatch): Promise<void> {
    const lines = this.store.encodeBatch(batch);
    await this.sink.write(lines, batch.points.length + batch.drifts.length);
    this.store.noteKept(batch);
    for (const record of batch.records) this.records.remember(record);
  }

  recent(range: Range, limit: number, after?: Position): Promise<Page<Point>> {
    return this.store.recent(range, limit, after);
  }

  recentDrift(range: Range, limit: number, after?: Position): Promise<Page<DriftPoint>> {
    return this.store.recentDrift(range, limit, after);
  }

  aggregate(query: AggregateQuery): Promise<Aggregate> {
    return this.store.aggregate(query);
  }

  summary(range: Range): Promise<Summary> {
    return this.store.summary(range);
  }

  activeSeries(sinceMs: number, signal?: AbortSignal): Promise<readonly Series[]> {
    return this.store.activeSeries(sinceMs, signal);
  }

  metricNames(project: string, modelId: string): Promise<readonly string[]> {
    return this.store.metricNames(project, modelId);
  }

  /**
   * findRecord looks among the answers of this process and of its spool, then asks the server. While the server is away only the former are
   * known, and a repeat of what another instance stored could be stored twice: to refuse every request that carries a
   * key would stop ingest instead, which a lost server must not. It is counted.
   */
  async findRecord(project: string, key: string): Promise<IdempotencyRecord | null> {
    const known = this.records.find(project, key);
    if (known && known.createdMs > this.options.wallMs() - RECORD_LIFE_MS) return known;
    if (this.sink.backlog().points > 0 || this.options.steadyMs() < this.blindUntilMs) return this.notKnown();
    try {
      return await answerWithin(FIND_DEADLINE_MS, () => this.store.findRecord(project, key));
    } catch {
      this.blindUntilMs = this.options.steadyMs() + BLIND_MS;
      return this.notKnown();
    }
  }

  stats(): Promise<StoreStats> {
    return this.store.stats();
  }

  ping(): Promise<void> {
    return this.store.ping();
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private notKnown(): null {
    this.unknown += 1;
    return null;
  }
}
