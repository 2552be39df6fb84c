import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { DEFAULT_PACE, type Pace } from './pace.js';
import { NOW } from './point-samples.contract.js';
import { describePort, type StoreUnderTest } from './point-store.contract.js';
import { SqliteStore } from './sqlite-store.js';

const DAY = 24 * 3600_000;

/** EAGER flushes after every write, so that reads meet all states in which points can be. */
const EAGER: Pace = { flushPoints: 1, flushMs: 0 };

async function openEmpty(pace: Pace): Promise<StoreUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-store-'));
  const open = (): Promise<SqliteStore> =>
    SqliteStore.open({
      file: join(folder, 'metrics.db'),
      retention: { rawMs: 7 * DAY, minuteMs: 30 * DAY, hourMs: 400 * DAY },
      clock: () => NOW,
      pace,
    });
  let store = await open();
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await open();
      return store;
    },
    dispose: async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe('SqliteStore', () => describePort(() => openEmpty(DEFAULT_PACE)));
describe('SqliteStore that tidies up after every write', () => describePort(() => openEmpty(EAGER)));
