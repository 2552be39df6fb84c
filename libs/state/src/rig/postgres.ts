import { createDatabase, type LocalServer, startPostgres } from '@tidemark/servers';
import { sql } from 'kysely';
import { afterAll, beforeAll } from 'vitest';
import type { State } from '../database.js';
import type { MakeEngine } from '../engine.contract.js';
import { openPostgresState } from '../postgres-state.js';

/** PostgresRig is a PostgreSQL of the test file's own. */
export interface PostgresRig {
  readonly server: () => LocalServer;
  /** emptyDatabase answers the URL of a new database without any table. */
  readonly emptyDatabase: () => Promise<string>;
  readonly makeEngine: MakeEngine;
}

/** usePostgres starts a PostgreSQL before the tests of a file, and ends it after them. */
export function usePostgres(): PostgresRig {
  let started: LocalServer | null = null;
  let template: Promise<State> | null = null;
  let count = 0;
  const server = () => {
    if (!started) throw new Error('the server runs only while tests do');
    return started;
  };
  beforeAll(async () => void (started = await startPostgres()));
  afterAll(async () => {
    const open = await template?.catch(() => null);
    await open?.close();
    await started?.close();
  });
  const emptyDatabase = () => createDatabase(server(), `empty${count++}`);
  /** A database of the current schema is copied from one that was migrated once: tests are many. */
  const migratedDatabase = async () => {
    template ??= openPostgresState({ url: await createDatabase(server(), 'migrated') }).then(async (migrated) => {
      await migrated.close();
      return openPostgresState({ url: server().url });
    });
    const name = `copy${count++}`;
    await sql`CREATE DATABASE ${sql.id(name)} TEMPLATE migrated`.execute((await template).db);
    return server().url.replace(/[^/]*$/, name);
  };
  const makeEngine: MakeEngine = async () => {
    const url = await migratedDatabase();
    return { open: () => openPostgresState({ url }), destroy: async () => undefined };
  };
  return { server, emptyDatabase, makeEngine };
}
