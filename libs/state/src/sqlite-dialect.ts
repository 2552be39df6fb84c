import type { SqliteThread, StatementResult } from '@tidemark/sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Turnstile } from './turnstile.js';

/** sqliteDialect is Kysely's SQLite dialect over a state thread: one connection, transactions one after another. */
export function sqliteDialect(thread: SqliteThread, turnstile: Turnstile): Dialect {
  return {
    createAdapter: () => new TransactionalSqliteAdapter(),
    createDriver: () => new ThreadDriver(thread, turnstile),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** SQLite does roll back DDL; Kysely's adapter denies it because of tools that we do not use. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class ThreadDriver implements Driver {
  constructor(
    private readonly thread: SqliteThread,
    private readonly turnstile: Turnstile,
  ) {}

  async init(): Promise<void> {}

  async acquireConnection(): Promise<ThreadConnection> {
    return new ThreadConnection(this.thread, this.turnstile);
  }

  beginTransaction(connection: ThreadConnection): Promise<void> {
    return connection.begin();
  }

  commitTransaction(connection: ThreadConnection): Promise<void> {
    return connection.commit();
  }

  rollbackTransaction(connection: ThreadConnection): Promise<void> {
    return connection.rollback();
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

class ThreadConnection implements DatabaseConnection {
  /** Set while this connection holds the turnstile. */
  private leave: (() => void) | null = null;

  constructor(
    private readonly thread: SqliteThread,
    private readonly turnstile: Turnstile,
  ) {}

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const run = () => this.thread.call<StatementResult>('execute', { sql, params: parameters });
    const { rows, changes } = await (this.leave ? run() : this.turnstile.pass(run));
    // The compiled query's type says what its rows are; Kysely's own drivers take its word in the same way.
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) };
  }

  streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('the state database does not stream: read page by page');
  }

  async begin(): Promise<void> {
    this.leave = await this.turnstile.hold();
    try {
      await this.executeQuery(CompiledQuery.raw('BEGIN IMMEDIATE'));
    } catch (error) {
      this.release();
      throw error;
    }
  }

  async commit(): Promise<void> {
    await this.executeQuery(CompiledQuery.raw('COMMIT'));
    this.release();
  }

  async rollback(): Promise<void> {
    try {
      await this.executeQuery(CompiledQuery.raw('ROLLBACK'));
    } catch {
      // SQLite has already rolled back by itself (disk full, I/O error): the first error is the one to tell.
    } finally {
      this.release();
    }
  }

  private release(): void {
    this.leave?.();
    this.leave = null;
  }
}
