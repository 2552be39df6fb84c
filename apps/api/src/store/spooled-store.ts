import type {
  Aggregate,
  AggregateQuery,
  DriftPoint,
  IdempotencyRecord,
  Page,
  Point,
  PointStore,
  Position,
  Range,
  Series,
  StoreStats,
  Summary,
  WriteBatch,
} from './point-store.js';

/** SpoolableStore is a store on a server: what it would send can be had as lines, to be sent by somebody else. */
export interface SpoolableStore extends PointStore {
  encodeBatch(batch: WriteBatch): Uint8Array;
  forgetBatch(batch: WriteBatch): void;
}

/** SpoolSink takes lines for the server, or keeps them on disk until it takes them. */
export interface SpoolSink {
  write(lines: Uint8Array, points: number): Promise<void>;
  backlog(): { readonly points: number };
}

/** Answers that are remembered here because the server may not have them yet; long ones are left to the server alone. */
const RECORDS_KEPT = 50_000;
const LONGEST_KEPT = 2048;

/**
 * SpooledStore is a PointStore whose writes go through a spool: acknowledged is what the server has or what is on disk
 * here. Reads ask the server; while anything waits in the spool they do not see that yet.
 */
export class SpooledStore implements PointStore {
  /** Answers to idempotent requests of this process, oldest first. */
  private readonly records = new Map<string, IdempotencyRecord>();

  constructor(
    private readonly store: SpoolableStore,
    private readonly sink: SpoolSink,
  ) {}

  get lastSeq(): number {
    return this.store.lastSeq;
  }

  get newestMs(): number {
    return this.store.newestMs;
  }

  async write(batch: WriteBatch): Promise<void> {
    const lines = this.store.encodeBatch(batch);
    try {
      await this.sink.write(lines, batch.points.length + batch.drifts.length);
    } catch (error) {
      this.store.forgetBatch(batch);
      throw error;
    }
    for (const record of batch.records) if (record.body.length <= LONGEST_KEPT) this.remember(record);
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

  activeSeries(sinceMs: number): Promise<readonly Series[]> {
    return this.store.activeSeries(sinceMs);
  }

  metricNames(project: string, modelId: string): Promise<readonly string[]> {
    return this.store.metricNames(project, modelId);
  }

  /**
   * findRecord looks among the answers of this process, then asks the server. While the server is away only the former are
   * known: to refuse every request that carries a key would stop ingest, which a lost server must not.
   */
  async findRecord(project: string, key: string): Promise<IdempotencyRecord | null> {
    const known = this.records.get(nameOf(project, key));
    if (known) return known;
    if (this.sink.backlog().points > 0) return null;
    try {
      return await this.store.findRecord(project, key);
    } catch {
      return null; // The write that follows finds the server away as well, and goes to the spool.
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

  private remember(record: IdempotencyRecord): void {
    this.records.set(nameOf(record.project, record.key), record);
    for (const oldest of this.records.keys()) {
      if (this.records.size <= RECORDS_KEPT) return;
      this.records.delete(oldest);
    }
  }
}

function nameOf(project: string, key: string): string {
  return `${project.length}:${project}${key}`;
}
