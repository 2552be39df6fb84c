import { Database } from '@tidemark/sqlite';
import type {
  Aggregate,
  AggregateQuery,
  DriftPoint,
  IdempotencyRecord,
  Page,
  Range,
  Series,
  Summary,
} from './point-store.js';
import { LiveCommits } from './live-commits.js';
import { readAggregate, readSummary } from './read-aggregate.js';
import { readRecentDrift } from './read-drift.js';
import { readRecent } from './read-recent.js';
import { modelKey, SeriesCatalog, toSeries } from './series-catalog.js';
import { fromSqlText, toSqlText } from './sql-text.js';
import type { PointColumns, RecentMessage, RecordMessage } from './store-messages.js';
import { RECEIVED_STEP_MS } from './batch-insert.js';

const CACHE_KIB = 16_384;

/** StoreReader answers every question about the store's file; it runs in the reader thread on its own connection. */
export class StoreReader {
  readonly catalog: SeriesCatalog;
  readonly live: LiveCommits;

  private constructor(readonly database: Database) {
    this.catalog = new SeriesCatalog(database);
    this.live = new LiveCommits(database);
  }

  /** open expects that the writer has opened (and migrated) the file before. */
  static open(file: string): StoreReader {
    const database = Database.open({ file, readonly: true, cacheKiB: CACHE_KIB });
    return new StoreReader(database);
  }

  /** warm reads what was committed since the last query, so that the next one has less to do. */
  warm(): void {
    this.snapshot(() => undefined);
  }

  recent(message: RecentMessage): PointColumns {
    return this.snapshot(() => readRecent(this, message));
  }

  aggregate(query: AggregateQuery): Aggregate {
    return this.snapshot(() => readAggregate(this, query));
  }

  summary(range: Range): Summary {
    return this.snapshot(() => readSummary(this, range));
  }

  recentDrift(message: RecentMessage): Page<DriftPoint> {
    return this.snapshot(() => readRecentDrift(this.database, message));
  }

  /** activeSeries may list a series that was last heard of up to a minute before sinceMs, never miss one. */
  activeSeries(sinceMs: number): readonly Series[] {
    const rows = this.database
      .prepare(
        `SELECT s.id, s.key, s.model, s.model_type, s.tags, m.project, m.model_id
         FROM series_state t JOIN series s ON s.id = t.series JOIN models m ON m.id = s.model
         WHERE t.received_ms > ? ORDER BY s.id`,
      )
      .all([sinceMs - RECEIVED_STEP_MS]);
    return rows.map((row) => {
      const { key, project, modelId, modelType, tags } = toSeries(row);
      return { key, project, modelId, modelType, tags };
    });
  }

  metricNames(project: string, modelId: string): readonly string[] {
    const rows = this.database
      .prepare(
        `SELECT n.name FROM models m JOIN metric_names n ON n.model = m.id
         WHERE m.project = ? AND m.model_id = ? ORDER BY n.name`,
      )
      .all(modelKey(project, modelId));
    return rows.map((row) => fromSqlText(row.name));
  }

  findRecord({ project, key, createdAfterMs }: RecordMessage): IdempotencyRecord | null {
    const row = this.database
      .prepare(
        'SELECT fingerprint, status, body, created_ms FROM records WHERE project = ? AND key = ? AND created_ms > ?',
      )
      .get([toSqlText(project), toSqlText(key), createdAfterMs]);
    if (!row) return null;
    return {
      project,
      key,
      fingerprint: fromSqlText(row.fingerprint),
      status: Number(row.status),
      body: fromSqlText(row.body),
      createdMs: Number(row.created_ms),
    };
  }

  close(): void {
    this.database.close();
  }

  /** snapshot shows one state of the file to all statements of a query. */
  private snapshot<T>(work: () => T): T {
    this.database.exec('BEGIN');
    try {
      this.catalog.refresh();
      this.live.refresh();
      return work();
    } finally {
      this.endSnapshot();
    }
  }

  /** endSnapshot must not hide the error of the query, and after some of them SQLite has ended the transaction itself. */
  private endSnapshot(): void {
    try {
      this.database.exec('ROLLBACK');
    } catch {
      // Nothing was written: there is nothing to undo, and the next BEGIN tells if the connection is unusable.
    }
  }
}
