import { join } from 'node:path';
import { FaultEpisode } from '@tidemark/program';
import { Backlogs, Leases } from '@tidemark/state';
import { ONE_WRITE, type WriteConcurrency } from '../buffer/batch-writer.js';
import { BacklogBoard } from '../store/backlog-board.js';
import { LateInfluxStore } from '../store/influx/late-influx-store.js';
import { createLateLog } from '../store/influx/late-log.js';
import { recordsIn } from '../store/influx/records-in.js';
import type { PointStore } from '../store/point-store.js';
import { RecordMemory } from '../store/record-memory.js';
import { createSpoolLog } from '../store/spool/spool-log.js';
import { SpoolingSink } from '../store/spool/spooling-sink.js';
import { SpooledStore } from '../store/spooled-store.js';
import { SqliteStore } from '../store/sqlite-store.js';
import { createWorkReport } from '../store/work-report.js';
import { WriterSlot } from '../store/writer-slot.js';
import type { State } from './open-state.js';
import type { Opening } from './surroundings.js';

/** How long a server of points is waited for at the start: it may be starting itself. Then it is done without. */
const PATIENCE_MS = 3000;

/**
 * InfluxDB stores a request on one core. A second one beside it uses the next, and the time that the first spends on the disk; with
 * fewer points it would cost more than it gains.
 */
const INFLUX_WRITES: WriteConcurrency = { writes: 2, leastPoints: 1000 };

/** Points are the store of metrics, and the slot under which this process writes where others write, too. */
export interface Points {
  readonly store: PointStore;
  /** How many batches it stores at a time. */
  readonly concurrency: WriteConcurrency;
  /** null where the store is of this process alone, and knows all that it ever held. */
  readonly slot: number | null;
  /** What waits to be stored; null where nothing ever does. */
  readonly board: BacklogBoard | null;
}

/** openPoints opens the store of metrics: a file here, or InfluxDB behind a spool. */
export async function openPoints(opening: Opening, state: State): Promise<Points> {
  const { config, clock, log, telemetry, fatal, closeLast } = opening;
  if (config.influxUrl !== null) return openInflux(opening, config.influxUrl, state);
  const file = join(config.dataDir, 'metrics.db');
  const on = { onDeath: fatal, onWork: createWorkReport(log, telemetry) };
  const store = await SqliteStore.open({ file, retention: config.retention, clock: clock.wallMs, ...on });
  closeLast(() => store.close());
  return { store, concurrency: ONE_WRITE, slot: null, board: null };
}

async function openInflux(opening: Opening, url: string, state: State): Promise<Points> {
  const { config, clock, log, telemetry, closeLast } = opening;
  const { wallMs, steadyMs } = clock;
  const writer = await openSlot(opening, state);
  const { influxGeneration: generation } = config;
  const rollups = new FaultEpisode(log, {
    began: 'rollups could not be brought up to date; reads are slower',
    ended: 'rollups are brought up to date again',
  });
  const store = await LateInfluxStore.open({
    url,
    token: config.influxToken ?? '',
    org: config.influxOrg,
    database: config.influxBucket,
    writer: writer.number,
    retention: config.retention,
    clock: wallMs,
    onFault: (error: unknown) => rollups.failed(error),
    onWorked: () => rollups.worked(),
    ...(generation === 'auto' ? {} : { generation }),
    ...{ patienceMs: PATIENCE_MS, steadyMs, random: Math.random, report: createLateLog(log) },
  });
  closeLast(() => store.close());
  const folder = join(config.dataDir, 'spool');
  const records = new RecordMemory();
  const sink = await SpoolingSink.open({
    // A restart must not forget them because InfluxDB has not got them yet.
    onFound: (lines) => recordsIn(lines).forEach((record) => records.remember(record)),
    ...{ sink: store, folder, maxBytes: config.spoolBytes, report: createSpoolLog(log) },
    ...{ directWrites: INFLUX_WRITES.writes, wallMs, steadyMs, random: Math.random },
  });
  void store.whenOpen().then(() => sink.hurry());
  telemetry.watchSpool(() => sink.stats());
  const spooled = new SpooledStore(store, sink, { wallMs, steadyMs, records });
  telemetry.watchAnswers(() => spooled.unknownAnswers);
  const board = new BacklogBoard({
    ...{ writer: writer.holder, own: () => sink.backlog(), wallMs, keptMs: config.retention.rawMs },
    book: config.databaseUrl === null ? null : new Backlogs(state.database),
    saying: new FaultEpisode(log, {
      began: 'other instances cannot be told what waits in the spool of this one',
      ended: 'other instances are told again what waits in the spool of this one',
    }),
  });
  board.start();
  // The board's last word comes when the sink is closed, and nothing drains any more.
  closeLast(() => board.close());
  closeLast(() => sink.close());
  return { store: spooled, concurrency: INFLUX_WRITES, slot: writer.number, board };
}

/** Alone there is only one who writes; who shares a database shares the numbers of writers, too. */
async function openSlot(
  { config, clock, log, fatal, closeLast }: Opening,
  state: State,
): Promise<Pick<WriterSlot, 'number' | 'holder'>> {
  if (config.databaseUrl === null) return { number: 0, holder: 'alone' };
  const file = join(config.dataDir, 'writer.json');
  const slot = await WriterSlot.take({
    leases: new Leases(state.database),
    file,
    steadyMs: clock.steadyMs,
    onLost: fatal,
    onFault: (error) => log.warn({ err: error }, 'the number of this writer of points could not be renewed'),
  });
  closeLast(async () => slot.close());
  return slot;
}
