import { missing } from '@tidemark/servers';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { inference, model } from './rig/fixtures.js';
import { openPlatform } from './rig/platform.js';
import { PRODUCTION, ProductionPlatform } from './rig/production-platform.js';
import { skipUnless } from './rig/skip.js';

const absent = missing('postgres', 'redis-server', 'influxd', 'nginx');

/** What a migration of the next version may do: see "Upgrading" in docs/operations.md. */
const TOMORROW = `BEGIN;
  ALTER TABLE models ADD COLUMN owner text;
  ALTER TABLE deliveries ADD COLUMN colour text NOT NULL DEFAULT 'blue';
  CREATE TABLE owners (name text PRIMARY KEY);
  INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-owners', '2040');
COMMIT`;

describe('a rolling upgrade', () => {
  test('lets programs of the version before go on, and starts none', { timeout: 180_000 }, async (context) => {
    skipUnless(context, absent);
    const platform = await openPlatform(PRODUCTION);
    if (!(platform instanceof ProductionPlatform)) throw new Error('not a stack');
    const api = platform.client();
    await api.must(api.post('models', model('before')));
    const database = new pg.Client({ connectionString: platform.stack.postgres.url });
    await database.connect();
    await database.query(TOMORROW).finally(() => database.end());

    await api.must(api.post('models', model('after')));
    for (const id of ['before', 'after']) {
      await api.must(api.post('metrics/inference', inference(id, id, { latency: 4000 })));
    }
    const alerts = await api.must(api.get('alerts'));
    expect(alerts).toHaveLength(2);
    await api.must(api.post(`alerts/${alerts[0].id}/resolve`, { by: 'Ada' }));

    for (const program of [platform.stack.apis[1], platform.stack.workers[1]]) {
      if (!program) throw new Error('the stack is too small');
      await program.stop();
      await expect(program.start()).rejects.toThrow(
        /ended at once: tidemark( worker)?: the state was written by a newer version of Tidemark \(it has 9999-owners\)[^\n]*\n$/,
      );
    }
    await api.must(api.post('metrics/inference', inference('after', 'more')));
  });
});
