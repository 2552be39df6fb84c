import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteState } from './database.js';
import { describePort } from './state.contract.js';

describePort('SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-state-'));
  return {
    open: () => openSqliteState(join(folder, 'state.db')),
    destroy: async () => rmSync(folder, { recursive: true, force: true }),
  };
});
