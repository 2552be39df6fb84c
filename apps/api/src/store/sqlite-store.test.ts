import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { describePort, NOW } from './point-store.contract.js';
import { SqliteStore } from './sqlite-store.js';

const DAY = 24 * 3600_000;

describe('SqliteStore', () => {
  describePort(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-store-'));
    const open = (): Promise<SqliteStore> =>
      SqliteStore.open({
        file: join(folder, 'metrics.db'),
        retention: { rawMs: 7 * DAY, minuteMs: 30 * DAY, hourMs: 400 * DAY },
        clock: () => NOW,
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
  });
});
