import { join } from 'node:path';
import { SqliteStore } from '../store/sqlite-store.js';
import type { PointStore } from '../store/point-store.js';
import { createWorkReport } from '../store/work-report.js';
import type { Opening } from './surroundings.js';

/** openPoints opens the store of metrics. */
export async function openPoints({ config, clock, log, telemetry, fatal, closeLast }: Opening): Promise<PointStore> {
  const file = join(config.dataDir, 'metrics.db');
  const on = { onDeath: fatal, onWork: createWorkReport(log, telemetry) };
  const store = await SqliteStore.open({ file, retention: config.retention, clock: clock.wallMs, ...on });
  closeLast(() => store.close());
  return store;
}
