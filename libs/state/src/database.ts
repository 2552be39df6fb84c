import type { SqlValue } from '@tidemark/sqlite';
import { SqliteThread } from '@tidemark/sqlite';
import { type CompiledQuery, Kysely } from 'kysely';
import type { CommitReply, StepResult } from './commit.js';
import { GroupCommit } from './group-commit.js';
import { migrate } from './migrations/migrate.js';
import type { Schema } from './schema.js';
import { sqliteDialect } from './sqlite-dialect.js';
import { Turnstile } from './turnstile.js';

/** Write is one statement of a batch; the whole batch is undone unless it touches `expect` rows (any number if absent). */
export interface Write {
  readonly query: CompiledQuery;
  readonly expect?: number;
}

/** WriteOutcome tells whether a batch was kept; `step` is the index of the first statement whose expectation failed. */
export type WriteOutcome =
  | { readonly outcome: 'committed'; readonly results: readonly StepResult[] }
  | { readonly outcome: 'unmet'; readonly step: number };

/** Durability of a batch: `full` survives a power cut once resolved, `lazy` survives only a crash of the process. */
export type Durability = 'full' | 'lazy';

/**
 * State is the open state database. Repositories read through `db` and write through `write`, never by an engine's
 * own ways: the same SQL runs on SQLite and PostgreSQL.
 */
export interface State {
  readonly db: Kysely<Schema>;
  /** write runs the statements in one transaction; concurrent batches may share a commit but never each other's fate. */
  write(batch: readonly Write[], durability?: Durability): Promise<WriteOutcome>;
  /** close finishes the batches already submitted, then closes the database. */
  close(): Promise<void>;
}

/** StateOptions are what an opener may be told; `onDeath` is called once if the engine dies without having been closed. */
export interface StateOptions {
  readonly onDeath?: (error: Error) => void;
}

/**
 * openSqliteState opens (and creates) the state in one SQLite file, with its own thread, and migrates it.
 * It rejects with `UnknownSchemaError` when the file was written by a newer version.
 */
export async function openSqliteState(file: string, options: StateOptions = {}): Promise<State> {
  const thread = await SqliteThread.open({
    entry: new URL('../dist/state-thread.js', import.meta.url),
    input: { file },
    onDeath: options.onDeath,
  });
  const turnstile = new Turnstile();
  const db = new Kysely<Schema>({ dialect: sqliteDialect(thread, turnstile) });
  const commits = new GroupCommit((request) => turnstile.pass(() => thread.call<CommitReply[]>('commit', request)));
  try {
    await migrate(db);
  } catch (error) {
    await thread.close();
    throw error;
  }
  return {
    db,
    write: (batch, durability = 'full') =>
      commits.submit(
        batch.map(({ query, expect }) => ({ sql: query.sql, params: query.parameters.map(toSqlValue), expect })),
        durability === 'lazy',
      ),
    async close() {
      await commits.drain();
      await db.destroy();
      await thread.close();
    },
  };
}

/** writeReturning runs a statement through `write`, in one transaction with those `before` and `besides`, and answers the rows it returned: none if it was undone. */
export async function writeReturning<Row>(
  state: State,
  query: CompiledQuery<Row>,
  { durability, before = [], besides = [] }: Company = {},
): Promise<Row[]> {
  const done = await state.write([...before, { query }, ...besides], durability);
  // The compiled query's type says what its rows are, as it does for `execute`.
  return done.outcome === 'committed' ? ((done.results[before.length]?.rows ?? []) as unknown as Row[]) : [];
}

/** What shares the transaction of a statement. */
interface Company {
  readonly durability?: Durability;
  readonly before?: readonly Write[];
  readonly besides?: readonly Write[];
}

function toSqlValue(value: unknown): SqlValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  throw new TypeError(`a ${typeof value} cannot be bound: the state holds text, numbers and null`);
}
