import { join } from 'node:path';
import { SqliteStore } from '../store/sqlite-store.js';
import type { PointStore } from '../store/point-store.js';
import type { Opening } from './surroundings.js';

/** openPoints opens the store of metrics. */
export async function openPoints({ config, clock, fatal, closeLast }: Opening): Promise<PointStore> {
  const file = join(config.dataDir, 'metrics.db');
  const store = await SqliteStore.open({ file, retention: config.retention, clock: clock.wallMs, onDeath: fatal });
  closeLast(() => store.close());
  return store;
}
