import type { LineSink } from '../line-sink.js';
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
} from '../point-store.js';
import type { Retention } from '../store-messages.js';
import { BatchEncoder } from './encode-batch.js';
import { findInfluxRecord } from './find-record.js';
import { type Generation, probeGeneration } from './generation.js';
import { type AggregateContext, readInfluxAggregate, readInfluxSummary } from './influx-aggregate.js';
import { InfluxCatalog } from './influx-catalog.js';
import { type ConnectionOptions, InfluxConnection } from './influx-connection.js';
import { InfluxStats } from './influx-stats.js';
import { readMarks } from './mark.js';
import { PINGS } from './names.js';
import { prepareShelves } from './prepare.js';
import { Pulse } from './pulse.js';
import { readReceipts } from './receipt.js';
import { readRecentDrift } from './recent-drift.js';
import { readRecentPoints } from './recent-points.js';
import { RollupKeeper } from './rollup-keeper.js';
import { DEFAULT_INFLUX_PACE, type InfluxPace, RollupSchedule } from './rollup-schedule.js';
import { SlotWriter } from './slot-writer.js';
import { Unflushed } from './unflushed.js';

/** InfluxStoreOptions say where the server is, who writes, and what is kept for how long. */
export interface InfluxStoreOptions {
  readonly url: string;
  /** A token; `user:password` for 1.x with authentication; empty without. */
  readonly token: string;
  /** The organisation, which only 2.x knows. */
  readonly org: string;
  /** The database of 1.x; on 2.x and 3 the part of the buckets' names before the slash. */
  readonly database: string;
  /** The slot that this process holds, 0 to 31: no other process may hold it at the same time. */
  readonly writer: number;
  readonly retention: Retention;
  /** Epoch ms. */
  readonly clock: () => number;
  /** Called each time that rollups could not be brought up to date: reads stay right and become slower. */
  readonly onFault: (error: unknown) => void;
  /** Called each time that they could. */
  readonly onWorked?: () => void;
  /** The server is asked when absent. */
  readonly generation?: Generation;
  readonly pace?: InfluxPace;
  readonly writeTimeoutMs?: number;
  /** How long a query may take, of which a read is several. */
  readonly queryTimeoutMs?: number;
  /** How long the server may answer nobody before a read is given up; what keeps rollups goes on waiting. */
  readonly quietTimeoutMs?: number;
}

const WRITE_TIMEOUT_MS = 10_000;
/** On two cores that 4 grouped aggregates and ingest shared, queries of 50,000 rows took 7 s, with 24 aggregates 11 s. */
const QUERY_TIMEOUT_MS = 30_000;
/** So long does a person at a dashboard wait for a server that hangs. */
const QUIET_TIMEOUT_MS = 10_000;

interface Parts {
  readonly connection: InfluxConnection;
  /** What somebody waits for, over sockets of its own, so that it never waits for a query of the rollups. */
  readonly reading: InfluxConnection;
  readonly catalog: InfluxCatalog;
  readonly encoder: BatchEncoder;
  readonly writer: SlotWriter;
  readonly schedule: RollupSchedule;
  readonly stats: InfluxStats;
  readonly lastSeq: number;
  readonly newestMs: number;
}

/** InfluxStore is the PointStore on InfluxDB 1.x, 2.x and 3. Its errors are StoreFaults. */
export class InfluxStore implements PointStore, LineSink {
  /** The batches of lines that were encoded here and not sent yet: nobody need read them back, neither here nor there. */
  private readonly encoded = new WeakMap<Uint8Array, WriteBatch>();

  private constructor(
    private readonly options: InfluxStoreOptions,
    private readonly parts: Parts,
  ) {}

  get lastSeq(): number {
    return this.parts.lastSeq;
  }

  get newestMs(): number {
    return this.parts.newestMs;
  }

  /**
   * open creates what is missing on the server and takes over what the slot's last holder left. Rejects with a StoreFault,
   * or where it was given up with the signal's reason.
   */
  static async open(options: InfluxStoreOptions, giveUp?: AbortSignal): Promise<InfluxStore> {
    const { url, token, writer: slot, clock, queryTimeoutMs = QUERY_TIMEOUT_MS } = options;
    const generation = options.generation ?? (await probeGeneration(url, token, queryTimeoutMs, giveUp));
    const timeouts = { queryTimeoutMs, writeTimeoutMs: options.writeTimeoutMs ?? WRITE_TIMEOUT_MS };
    const [connection, reading] = connect({ ...options, ...timeouts }, generation);
    const end = (): void => {
      connection.close();
      reading.close();
    };
    giveUp?.addEventListener('abort', end);
    try {
      giveUp?.throwIfAborted();
      await prepareShelves(connection, generation, options);
      const marks = await readMarks(connection);
      const own = marks.find((mark) => mark.slot === slot);
      const receipts = await readReceipts(connection, own ? marks : [...marks, { slot, ticket: 0 }]);
      const unflushed = new Unflushed(own?.ticket ?? 0, clock);
      for (const receipt of receipts) if (receipt.slot === slot) unflushed.recover(receipt.ticket, receipt);
      const catalog = new InfluxCatalog(connection);
      const { compactFlushes } = options.pace ?? DEFAULT_INFLUX_PACE;
      const keeper = new RollupKeeper({ connection, catalog, slot, clock, compactFlushes }, unflushed, own);
      await keeper.open();
      const schedule = new RollupSchedule(keeper, unflushed, { ...options, pace: options.pace ?? DEFAULT_INFLUX_PACE });
      if (!unflushed.isEmpty) schedule.wrote();
      return new InfluxStore(options, {
        connection,
        reading,
        catalog,
        encoder: new BatchEncoder(slot, clock),
        writer: new SlotWriter(connection, slot, unflushed),
        schedule,
        stats: new InfluxStats(connection, catalog, { ...options, generation }),
        lastSeq: Math.max(0, ...marks.map(({ lastSeq }) => lastSeq), ...receipts.map(highestSeq)),
        newestMs: Math.max(-Infinity, ...[...marks, ...receipts].map(({ newestMs }) => newestMs)),
      });
    } catch (error) {
      end();
      throw error;
    } finally {
      giveUp?.removeEventListener('abort', end);
    }
  }

  async write(batch: WriteBatch): Promise<void> {
    await this.writeLines(this.encodeBatch(batch));
    this.noteKept(batch);
  }

  /** encodeBatch gives the lines of a batch, for writeLines now or later. */
  encodeBatch(batch: WriteBatch): Uint8Array {
    const lines = this.parts.encoder.encode(batch);
    this.encoded.set(lines, batch);
    return lines;
  }

  /** noteKept is to be called when the lines of an encoded batch are stored or will be; until then each announces its series. */
  noteKept(batch: WriteBatch): void {
    this.parts.encoder.noteKept(batch);
  }

  /** writeLines sends lines of encodeBatch, whoever encoded them and however often. Rejects with a StoreFault, or with the signal's reason. */
  async writeLines(lines: Uint8Array, signal?: AbortSignal): Promise<void> {
    const batch = this.encoded.get(lines) ?? null;
    // Known once only: lines that are sent again may have been stored and counted, here or elsewhere, in the meantime.
    this.encoded.delete(lines);
    try {
      await this.parts.writer.send(lines, batch, signal);
    } finally {
      this.parts.schedule.wrote();
    }
  }

  recent(range: Range, limit: number, after?: Position): Promise<Page<Point>> {
    const { reading, catalog } = this.parts;
    return readRecentPoints(
      { connection: reading, catalog: catalog.over(reading) },
      { range: this.kept(range), limit, after },
    );
  }

  recentDrift(range: Range, limit: number, after?: Position): Promise<Page<DriftPoint>> {
    return readRecentDrift(this.parts.reading, { range: this.kept(range), limit, after });
  }

  aggregate(query: AggregateQuery): Promise<Aggregate> {
    return readInfluxAggregate(this.context(), query);
  }

  summary(range: Range): Promise<Summary> {
    return readInfluxSummary(this.context(), range);
  }

  activeSeries(sinceMs: number, signal?: AbortSignal): Promise<readonly Series[]> {
    return this.parts.catalog.active(sinceMs, signal);
  }

  metricNames(project: string, modelId: string): Promise<readonly string[]> {
    const { reading, catalog } = this.parts;
    return catalog.over(reading).names(project, modelId);
  }

  findRecord(project: string, key: string): Promise<IdempotencyRecord | null> {
    return findInfluxRecord(this.parts.reading, { project, key }, this.options.clock());
  }

  stats(): Promise<StoreStats> {
    return this.parts.stats.read();
  }

  /** ping writes a line, always the same. */
  ping(): Promise<void> {
    return this.parts.connection.write('meta', Buffer.from(`${PINGS},slot=${this.options.writer} up=1i 0\n`));
  }

  async close(): Promise<void> {
    const { schedule, connection, reading } = this.parts;
    await schedule.close(() => connection.close());
    connection.close();
    reading.close();
  }

  private kept(range: Range): Range {
    const { clock, retention } = this.options;
    return { ...range, sinceMs: Math.max(range.sinceMs, clock() - retention.rawMs) };
  }

  private context(): AggregateContext {
    return { connection: this.parts.reading, retention: this.options.retention, nowMs: this.options.clock() };
  }
}

/** connect gives the connection of what keeps the store, and that of reads: a sign of life over either counts for both. */
function connect(options: ConnectionOptions, generation: Generation): readonly [InfluxConnection, InfluxConnection] {
  const pulse = new Pulse();
  const { quietTimeoutMs = QUIET_TIMEOUT_MS, ...patient } = options;
  return [
    new InfluxConnection({ ...patient, pulse }, generation),
    new InfluxConnection({ ...patient, pulse, quietTimeoutMs }, generation),
  ];
}

function highestSeq({ points, drifts }: { readonly points: Highest; readonly drifts: Highest }): number {
  return Math.max(points.highest, drifts.highest);
}

interface Highest {
  readonly highest: number;
}
