import LibsqlDatabase from 'libsql';

/** SqlValue is what a column can hold: blobs are bound as Buffers and come back as ArrayBuffers. */
export type SqlValue = string | number | bigint | null | Buffer | ArrayBuffer;

/** SqlRow is one result row, keyed by column name. */
export type SqlRow = Record<string, SqlValue>;

/** Statement is a prepared statement; parameters are positional. */
export interface Statement {
  readonly reader: boolean;
  run(params: readonly SqlValue[]): { readonly changes: number; readonly lastInsertRowid: number };
  get(params: readonly SqlValue[]): SqlRow | undefined;
  all(params: readonly SqlValue[]): SqlRow[];
  iterate(params: readonly SqlValue[]): Iterable<SqlRow>;
}

/** OpenOptions say which file to open and how. */
export interface OpenOptions {
  readonly file: string;
  readonly readonly?: boolean;
  /** Page cache in KiB; 8 MiB when absent. */
  readonly cacheKiB?: number;
  /** How long a statement waits for another process's lock, in ms; 5000 when absent. */
  readonly busyTimeoutMs?: number;
}

/** TransactionOptions say what a transaction's commit waits for. */
export interface TransactionOptions {
  /**
   * Whether the commit waits until it is on the disk; true when absent. A loss of power may take back one that did not
   * wait, whole, and only together with all that came after it: the next commit that waits makes it lasting.
   */
  readonly waits?: boolean;
}

/**
 * Database is a connection to one SQLite file, used inside the thread that opened it.
 * Strings must be well-formed UTF-16: a lone surrogate aborts the process inside the driver, so `prepare` refuses
 * statements and callers validate what they bind (see `assertWellFormed`).
 */
export class Database {
  private readonly statements = new Map<string, Statement>();
  private waits = true;

  private constructor(private readonly handle: LibsqlDatabase.Database) {}

  /** open opens (and creates, unless readonly) the file in WAL mode with a full fsync on every commit. */
  static open(options: OpenOptions): Database {
    const handle = new LibsqlDatabase(options.file, { readonly: options.readonly ?? false });
    const database = new Database(handle);
    database.exec(`PRAGMA busy_timeout = ${options.busyTimeoutMs ?? 5000}`);
    if (!options.readonly) database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    database.exec('PRAGMA foreign_keys = ON');
    database.exec('PRAGMA temp_store = MEMORY');
    database.exec(`PRAGMA cache_size = -${options.cacheKiB ?? 8192}`);
    return database;
  }

  /** exec runs one or more statements that take no parameters and return nothing. */
  exec(sql: string): void {
    this.handle.exec(sql);
  }

  /** prepare returns the statement for this text, compiled once and kept. */
  prepare(sql: string): Statement {
    let statement = this.statements.get(sql);
    if (!statement) {
      assertWellFormed(sql);
      statement = this.handle.prepare(sql) as unknown as Statement;
      this.statements.set(sql, statement);
    }
    return statement;
  }

  /** transaction runs `work` between BEGIN IMMEDIATE and COMMIT; when it throws, everything is rolled back. */
  transaction<T>(work: () => T, { waits = true }: TransactionOptions = {}): T {
    this.wait(waits);
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      try {
        this.exec('ROLLBACK');
      } catch {
        // SQLite has already rolled back by itself (disk full, I/O error): the first error is the one to tell.
      }
      throw error;
    }
  }

  /** In WAL mode NORMAL writes a commit to the log and leaves to the next FULL one, or to a checkpoint, to wait for the disk. */
  private wait(waits: boolean): void {
    if (waits === this.waits) return;
    this.exec(`PRAGMA synchronous = ${waits ? 'FULL' : 'NORMAL'}`);
    this.waits = waits;
  }

  /** close ends the connection; the statements prepared on it must not be used again. */
  close(): void {
    this.statements.clear();
    this.handle.close();
  }
}

/** assertWellFormed throws a RangeError for a string with a lone surrogate, which the driver cannot carry. */
export function assertWellFormed(text: string): void {
  if (!text.isWellFormed()) throw new RangeError('text holds a lone surrogate and cannot be stored as UTF-8');
}
