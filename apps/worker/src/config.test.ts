import { describe, expect, it } from 'vitest';
import { readConfig } from './config.js';

const ENOUGH = {
  DATABASE_URL: 'postgres://tidemark@127.0.0.1:5432/tidemark',
  REDIS_URL: 'redis://127.0.0.1:6379',
  TIDEMARK_SECRET: '0123456789abcdef0123456789abcdef',
};

describe('readConfig', () => {
  it('takes what a worker needs, and the settings of the api beside it', () => {
    const outcome = readConfig({ ...ENOUGH, TIDEMARK_WORKER_CONCURRENCY: '3', TIDEMARK_DATA_DIR: '/data' });
    expect(outcome).toMatchObject({ ok: true, config: { concurrency: 3, host: '127.0.0.1', port: 8001 } });
    expect(outcome.ok && Object.isFrozen(outcome.config)).toBe(true);
  });

  it('names everything that is missing, misspelt or wrong at once', () => {
    const outcome = readConfig({ TIDEMARK_WORKER_CONCURENCY: '3', WORKER_PORT: 'http' });
    expect(outcome.ok).toBe(false);
    const faults = outcome.ok ? '' : outcome.faults.join('\n');
    for (const name of [...Object.keys(ENOUGH), 'TIDEMARK_WORKER_CONCURENCY', 'WORKER_PORT']) {
      expect(faults).toContain(name);
    }
  });
});
