import { stat } from 'node:fs/promises';
import { SqliteThread } from '@tidemark/sqlite';
import { decodePoints } from './decode-points.js';
import { encodePoints, type EncodedPoints } from './encode-points.js';
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
import { DEFAULT_PACE, type Pace } from './pace.js';
import { UNKNOWN_SERIES } from './store-messages.js';
import type {
  PointColumns,
  PointsMessage,
  ReaderInput,
  RecentMessage,
  RecordMessage,
  Retention,
  WriteAnswer,
  WriteMessage,
  WriterInput,
  WriterOpened,
} from './store-messages.js';
import type { WorkNote } from './tended-work.js';

const WARM_EVERY_MS = 1000;
const NO_NAMES: readonly string[] = [];

/** SqliteStoreOptions say where the store is and how long it keeps what. */
export interface SqliteStoreOptions {
  readonly file: string;
  readonly retention: Retention;
  /** Epoch ms. */
  readonly clock: () => number;
  /** How eagerly the store tidies up; DEFAULT_PACE when absent. */
  readonly pace?: Pace;
  /** Called once when one of the threads dies by itself; the store then rejects every call. */
  readonly onDeath?: (error: Error) => void;
  /** Called with each fault of the work in the background, and when it is over. */
  readonly onWork?: (note: WorkNote) => void;
}

/** SqliteStore is the embedded PointStore: one SQLite file, a thread that writes it and a thread that reads it. */
export class SqliteStore implements PointStore {
  /** The ids of series that are in the file; an entry goes when the registry lets go of its series. */
  private readonly seriesIds = new WeakMap<Series, number>();
  private warmedAt = -Infinity;

  private constructor(
    private readonly options: SqliteStoreOptions,
    private readonly writer: SqliteThread,
    private readonly reader: SqliteThread,
    private readonly opened: WriterOpened,
  ) {}

  get lastSeq(): number {
    return this.opened.lastSeq;
  }

  get newestMs(): number {
    return this.opened.newestMs;
  }

  /** open opens or creates the file; it rejects with a StoreFileError for a newer, foreign or damaged one. */
  static async open(options: SqliteStoreOptions): Promise<SqliteStore> {
    const { file, retention, clock, onDeath, onWork, pace = DEFAULT_PACE } = options;
    const writerInput: WriterInput = { file, retention, pace, nowMs: clock() };
    const writerEntry = new URL('../../dist/store/sqlite-writer-thread.js', import.meta.url);
    const onNote = (note: unknown) => onWork?.(note as WorkNote);
    const writer = await SqliteThread.open({ entry: writerEntry, input: writerInput, onDeath, onNote });
    try {
      const opened = await writer.call<WriterOpened>('opened');
      const readerEntry = new URL('../../dist/store/sqlite-reader-thread.js', import.meta.url);
      const readerInput: ReaderInput = { file };
      const reader = await SqliteThread.open({ entry: readerEntry, input: readerInput, onDeath });
      return new SqliteStore(options, writer, reader, opened);
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  async write(batch: WriteBatch): Promise<void> {
    try {
      await this.send(batch);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === UNKNOWN_SERIES)) throw error;
      // Retention removed a series that was silent for longer than anything is kept: introduce it again.
      for (const point of batch.points) this.seriesIds.delete(point.series);
      await this.send(batch);
    }
  }

  async recent(range: Range, limit: number, after?: Position): Promise<Page<Point>> {
    const message: RecentMessage = { range, limit, after: after ?? null };
    return decodePoints(await this.reader.call<PointColumns>('recent', message));
  }

  recentDrift(range: Range, limit: number, after?: Position): Promise<Page<DriftPoint>> {
    const message: RecentMessage = { range, limit, after: after ?? null };
    return this.reader.call('recentDrift', message);
  }

  aggregate(query: AggregateQuery): Promise<Aggregate> {
    return this.reader.call('aggregate', query);
  }

  summary(range: Range): Promise<Summary> {
    return this.reader.call('summary', range);
  }

  activeSeries(sinceMs: number): Promise<readonly Series[]> {
    return this.reader.call('activeSeries', sinceMs);
  }

  metricNames(project: string, modelId: string): Promise<readonly string[]> {
    return this.reader.call('metricNames', { project, modelId });
  }

  findRecord(project: string, key: string): Promise<IdempotencyRecord | null> {
    const message: RecordMessage = { project, key, createdAfterMs: this.options.clock() - RECORD_LIFE_MS };
    return this.reader.call('findRecord', message);
  }

  async stats(): Promise<StoreStats> {
    const counts = await this.writer.call<Pick<StoreStats, 'points' | 'series'>>('stats');
    const sizes = await Promise.all([fileBytes(this.options.file), fileBytes(`${this.options.file}-wal`)]);
    return { ...counts, bytes: sizes[0] + sizes[1] };
  }

  ping(): Promise<void> {
    return this.writer.call('ping');
  }

  async close(): Promise<void> {
    await this.reader.close();
    await this.writer.close();
  }

  private async send(batch: WriteBatch): Promise<void> {
    const introduced = new Introduced();
    const points = batch.points.length === 0 ? null : this.toMessage(encodePoints(batch.points), introduced);
    const nowMs = this.options.clock();
    const { drifts, records } = batch;
    const message: WriteMessage = { nowMs, points, newSeries: introduced.series.map(toPlain), drifts, records };
    const { ids } = await this.writer.call<WriteAnswer>('write', message, points ? [points.buffer] : []);
    introduced.series.forEach((series, i) => this.seriesIds.set(series, ids[i]));
    this.warmReader();
  }

  private toMessage({ series, ...points }: EncodedPoints, introduced: Introduced): PointsMessage {
    const messages = series.map(({ series: one, names }) => {
      const id = this.seriesIds.get(one) ?? -1 - introduced.place(one);
      return { id, names: names.size === 0 ? NO_NAMES : [...names] };
    });
    return { ...points, series: messages };
  }

  /** warmReader lets the reader follow the commits while they come, so that a query finds little left to read. */
  private warmReader(): void {
    const now = performance.now();
    if (now - this.warmedAt < WARM_EVERY_MS) return;
    this.warmedAt = now;
    // A failure shows in the query that needs the reader.
    this.reader.call('warm').catch(() => undefined);
  }
}

/** Introduced lists the series of a batch that the file may not know yet, each once. */
class Introduced {
  readonly series: Series[] = [];
  private readonly places = new Map<string, number>();

  place(series: Series): number {
    let place = this.places.get(series.key);
    if (place === undefined) {
      place = this.series.push(series) - 1;
      this.places.set(series.key, place);
    }
    return place;
  }
}

/** toPlain leaves behind what else the caller may keep in the object: it is cloned into another thread. */
function toPlain({ key, project, modelId, modelType, tags }: Series): Series {
  return { key, project, modelId, modelType, tags };
}

async function fileBytes(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}
