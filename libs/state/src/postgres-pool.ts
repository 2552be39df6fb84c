import type { SqlRow } from '@tidemark/sqlite';
import { DatabaseError, Pool, type PoolClient, types } from 'pg';
import { StateUnavailableError } from './state-unavailable.js';

/** PostgresPoolOptions are how a pool reaches its server, and what it waits for it at most. */
export interface PostgresPoolOptions {
  /** `postgres://user:password@host:port/database?sslmode=...` */
  readonly url: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** onFault is told of connections that broke while nobody used them; the pool goes on with others. */
  readonly onFault: (error: Error) => void;
}

/** PostgresResult is what one statement did. */
export interface PostgresResult {
  readonly rows: readonly SqlRow[];
  readonly changes: number;
}

/** SQLSTATEs of a server that is going, coming, or has no room: connection, resources, intervention by an operator. */
const UNAVAILABLE = /^(08|53|57P)/;

/** The server ends a statement that takes too long; when it does not even do that, the connection is given up. */
const SERVER_GRACE_MS = 2_000;
const INT8 = 20;

/** PostgresPool holds connections to one database. Whatever happens to them, it neither throws on its own nor ends the process. */
export class PostgresPool {
  private readonly pool: Pool;

  constructor({ url, maxConnections, connectTimeoutMs, statementTimeoutMs, onFault }: PostgresPoolOptions) {
    this.pool = new Pool({
      connectionString: url,
      application_name: 'tidemark',
      max: maxConnections,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + SERVER_GRACE_MS,
      keepAlive: true,
      types: { getTypeParser: parserOf },
    });
    this.pool.on('error', onFault);
    // A connection may also break between two statements of its user, who learns of it by the next one. Without a
    // listener that event would end the process.
    this.pool.on('connect', (client) => client.on('error', ignore));
  }

  /** connect takes a connection; whoever took it releases it. */
  async connect(): Promise<PostgresConnection> {
    try {
      return new PostgresConnection(await this.pool.connect());
    } catch (error) {
      throw error instanceof DatabaseError && !UNAVAILABLE.test(error.code ?? '')
        ? error
        : new StateUnavailableError(error);
    }
  }

  /** query runs one statement on any connection. */
  async query(sql: string, parameters: readonly unknown[] = []): Promise<PostgresResult> {
    const connection = await this.connect();
    try {
      return await connection.query(sql, parameters);
    } finally {
      connection.release();
    }
  }

  /** close waits for the connections that are in use, and ends them all. */
  async close(): Promise<void> {
    await this.pool.end();
  }
}

/** PostgresConnection is one connection while somebody uses it. */
export class PostgresConnection {
  private broken = false;

  constructor(private readonly client: PoolClient) {}

  /** query runs one statement, or several in one text without parameters. */
  async query(sql: string, parameters: readonly unknown[] = []): Promise<PostgresResult> {
    const bound = parameters.map(toParameter);
    try {
      const { rows, rowCount } = await this.client.query<SqlRow>(sql, bound);
      return { rows, changes: rowCount ?? 0 };
    } catch (error) {
      // Only an answer of the server leaves a connection usable: after a timeout the statement may still run on it.
      if (!(error instanceof DatabaseError)) this.broken = true;
      if (error instanceof DatabaseError && !UNAVAILABLE.test(error.code ?? '')) throw error;
      throw new StateUnavailableError(error);
    }
  }

  /** release gives the connection back, or ends it if it broke. */
  release(): void {
    this.client.release(this.broken);
  }
}

/** Numbers of 64 bits are times and counts here: far below 2^53, so they may be numbers. */
function parserOf(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  // pg types its own parsers as `any`.
  return oid === INT8 ? Number : (types.getTypeParser(oid, format) as (value: string) => unknown);
}

/**
 * PostgreSQL takes no NUL in a text: it becomes the replacement character, so that a question about such a name is
 * answered with nothing instead of an error.
 */
function toParameter(value: unknown): string | number | boolean | null {
  // Only Kysely's own questions about the schema bind booleans.
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'string') {
    throw new TypeError(`a ${typeof value} cannot be bound: the state holds text, numbers and null`);
  }
  if (!value.isWellFormed()) throw new TypeError('a text with a lone surrogate cannot be bound: it is not Unicode');
  return value.replaceAll('\0', '\ufffd');
}

function ignore(): void {}
