import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Leases } from '@tidemark/state';
import { InfluxStore } from '../store/influx/influx-store.js';
import type { PointStore } from '../store/point-store.js';
import { createSpoolLog } from '../store/spool/spool-log.js';
import { SpoolingSink } from '../store/spool/spooling-sink.js';
import { SpooledStore } from '../store/spooled-store.js';
import { SqliteStore } from '../store/sqlite-store.js';
import { createWorkReport } from '../store/work-report.js';
import { WriterSlot } from '../store/writer-slot.js';
import type { State } from './open-state.js';
import type { Opening } from './surroundings.js';

/** How long a server of points is waited for at the start: it may be starting itself. */
const PATIENCE_MS = 60_000;

/** openPoints opens the store of metrics: a file here, or InfluxDB behind a spool. */
export async function openPoints(opening: Opening, state: State): Promise<PointStore> {
  const { config, clock, log, telemetry, fatal, closeLast } = opening;
  if (config.influxUrl !== null) return openInflux(opening, config.influxUrl, state);
  const file = join(config.dataDir, 'metrics.db');
  const on = { onDeath: fatal, onWork: createWorkReport(log, telemetry) };
  const store = await SqliteStore.open({ file, retention: config.retention, clock: clock.wallMs, ...on });
  closeLast(() => store.close());
  return store;
}

async function openInflux(opening: Opening, url: string, state: State): Promise<PointStore> {
  const { config, clock, log, telemetry, closeLast } = opening;
  const writer = await openSlot(opening, state);
  const { influxGeneration: generation } = config;
  const options = {
    url,
    token: config.influxToken ?? '',
    org: config.influxOrg,
    database: config.influxBucket,
    writer,
    retention: config.retention,
    clock: clock.wallMs,
    onFault: (error: unknown) => log.warn({ err: error }, 'rollups could not be brought up to date; reads are slower'),
    ...(generation === 'auto' ? {} : { generation }),
  };
  const store = await patiently(opening, () => InfluxStore.open(options));
  closeLast(() => store.close());
  const sink = await SpoolingSink.open({
    sink: store,
    folder: join(config.dataDir, 'spool'),
    maxBytes: config.spoolBytes,
    wallMs: clock.wallMs,
    steadyMs: clock.steadyMs,
    random: Math.random,
    report: createSpoolLog(log),
  });
  closeLast(() => sink.close());
  telemetry.watchSpool(() => sink.stats());
  const { wallMs, steadyMs } = clock;
  const spooled = new SpooledStore(store, sink, { wallMs, steadyMs });
  telemetry.watchAnswers(() => spooled.unknownAnswers);
  return spooled;
}

/** Alone there is only one who writes; who shares a database shares the numbers of writers, too. */
async function openSlot({ config, clock, log, fatal, closeLast }: Opening, state: State): Promise<number> {
  if (config.databaseUrl === null) return 0;
  const file = join(config.dataDir, 'writer.json');
  const slot = await WriterSlot.take({
    leases: new Leases(state.database),
    file,
    steadyMs: clock.steadyMs,
    onLost: fatal,
    onFault: (error) => log.warn({ err: error }, 'the number of this writer of points could not be renewed'),
  });
  closeLast(async () => slot.close());
  return slot.number;
}

async function patiently<T>({ clock, log }: Opening, open: () => Promise<T>): Promise<T> {
  const endMs = clock.steadyMs() + PATIENCE_MS;
  for (let tries = 1; ; tries++) {
    try {
      return await open();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (clock.steadyMs() >= endMs) throw new Error(`INFLUXDB_URL: ${reason}`, { cause: error });
      if (tries === 1) log.warn({ reason }, 'InfluxDB does not answer yet; waiting for it');
      await pause(500);
    }
  }
}
