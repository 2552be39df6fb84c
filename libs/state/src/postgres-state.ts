import { setTimeout as pause } from 'node:timers/promises';
import { Kysely, sql } from 'kysely';
import { DatabaseError } from 'pg';
import type { StepResult } from './commit.js';
import type { Durability, State, Write, WriteOutcome } from './database.js';
import { migrate, UnknownSchemaError } from './migrations/migrate.js';
import { postgresDialect } from './postgres-dialect.js';
import { type PostgresConnection, PostgresPool, type PostgresPoolOptions } from './postgres-pool.js';
import type { Schema } from './schema.js';
import { StateUnavailableError } from './state-unavailable.js';

/** PostgresStateOptions say where the state is, and what is waited for it at most. */
export interface PostgresStateOptions extends Pick<PostgresPoolOptions, 'url'> {
  /** Connections of this process at most, default 10. */
  readonly maxConnections?: number;
  /** The wait for a connection, a new one or a free one, default 5 s. */
  readonly connectTimeoutMs?: number;
  /** The time that one statement may take, default 10 s. */
  readonly statementTimeoutMs?: number;
  readonly onFault?: (error: Error) => void;
  /** How long a server that cannot be asked is waited for when the state is opened: it may be starting itself. Default 0. */
  readonly patienceMs?: number;
  /** Told why it is waited for, when that begins. */
  readonly onWait?: (reason: string) => void;
}

/** Any number, the same for every Tidemark: who holds this lock changes the schema. */
const MIGRATION_LOCK = 8_316_042_077;
/** One instance may have to wait while another changes large tables. */
const MIGRATION_TIMEOUT_MS = 600_000;
/** A batch that PostgreSQL undid because another was in its way is run again: it has done nothing yet. */
const MAX_TRIES = 8;
/** Between two looks for a server that is waited for. */
const LOOK_MS = 500;
const IN_EACH_OTHERS_WAY: readonly (string | undefined)[] = ['40P01', '40001'];

/**
 * openPostgresState opens the state in a PostgreSQL database and migrates it; any number of processes may do so at once.
 * It rejects when the server does not answer within its patience, and with `UnknownSchemaError` when a newer version wrote the database.
 * Later a lost server fails the statements that need it, and once it is back the next ones work.
 */
export async function openPostgresState(options: PostgresStateOptions): Promise<State> {
  const { url, maxConnections = 10, connectTimeoutMs = 5_000, statementTimeoutMs = 10_000 } = options;
  const onFault = options.onFault ?? (() => undefined);
  const alone = { url, maxConnections: 1, connectTimeoutMs, statementTimeoutMs: MIGRATION_TIMEOUT_MS, onFault };
  await patiently(() => migrateAlone(alone), options);
  const pool = new PostgresPool({ url, maxConnections, connectTimeoutMs, statementTimeoutMs, onFault });
  const db = new Kysely<Schema>({ dialect: postgresDialect(pool) });
  const writing = new Set<Promise<WriteOutcome>>();
  return {
    db,
    write(batch, durability = 'full') {
      const done = writeUndisturbed(pool, batch, durability).finally(() => writing.delete(done));
      writing.add(done);
      return done;
    },
    async close() {
      await Promise.allSettled(writing);
      await db.destroy();
      await pool.close();
    },
  };
}

/** What the server answers is final: a wrong password stays wrong. Only one that cannot be asked is looked for again. */
async function patiently(open: () => Promise<void>, { patienceMs = 0, onWait }: PostgresStateOptions): Promise<void> {
  const endMs = performance.now() + patienceMs;
  for (let tries = 1; ; tries++) {
    try {
      return await open();
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (!(cause instanceof StateUnavailableError) || performance.now() >= endMs) throw error;
      if (tries === 1) onWait?.(cause.message);
      await pause(LOOK_MS);
    }
  }
}

/** A connection of its own, so that the lock ends with it whatever happens, and the long wait is for it alone. */
async function migrateAlone(options: PostgresPoolOptions): Promise<void> {
  const pool = new PostgresPool(options);
  const db = new Kysely<Schema>({ dialect: postgresDialect(pool) });
  try {
    await db.connection().execute(async (alone) => {
      await sql`SELECT pg_advisory_lock(${sql.lit(MIGRATION_LOCK)})`.execute(alone);
      await migrate(alone);
    });
  } catch (error) {
    if (error instanceof UnknownSchemaError) throw error;
    throw new Error(`the state database ${nameOf(options.url)} could not be opened`, { cause: error });
  } finally {
    await pool.close();
  }
}

async function writeUndisturbed(
  pool: PostgresPool,
  batch: readonly Write[],
  durability: Durability,
): Promise<WriteOutcome> {
  for (let tries = 1; ; tries++) {
    try {
      return await writeOnce(pool, batch, durability);
    } catch (error) {
      const mayTryAgain = error instanceof DatabaseError && IN_EACH_OTHERS_WAY.includes(error.code);
      if (!mayTryAgain || tries >= MAX_TRIES) throw error;
    }
  }
}

async function writeOnce(pool: PostgresPool, batch: readonly Write[], durability: Durability): Promise<WriteOutcome> {
  const [first] = batch;
  if (first && batch.length === 1 && first.expect === undefined && durability === 'full') {
    // A statement alone is a transaction: one round trip instead of three.
    return { outcome: 'committed', results: [await pool.query(first.query.sql, first.query.parameters)] };
  }
  const connection = await pool.connect();
  try {
    await connection.query(durability === 'lazy' ? 'BEGIN; SET LOCAL synchronous_commit = off' : 'BEGIN');
    const outcome = await runSteps(connection, batch);
    await connection.query(outcome.outcome === 'committed' ? 'COMMIT' : 'ROLLBACK');
    return outcome;
  } catch (error) {
    // A connection that is lost has undone it by itself, or will not be used again: the first error is the one to tell.
    await connection.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    connection.release();
  }
}

async function runSteps(connection: PostgresConnection, batch: readonly Write[]): Promise<WriteOutcome> {
  const results: StepResult[] = [];
  for (const [step, { query, expect }] of batch.entries()) {
    const result = await connection.query(query.sql, query.parameters);
    if (expect !== undefined && result.changes !== expect) return { outcome: 'unmet', step };
    results.push(result);
  }
  return { outcome: 'committed', results };
}

/** A database's name for people: the URL holds a password. */
function nameOf(url: string): string {
  if (!URL.canParse(url)) return 'of that URL';
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
