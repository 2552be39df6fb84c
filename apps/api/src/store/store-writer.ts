import type { Database, TransactionOptions } from '@tidemark/sqlite';
import { insertBatch } from './batch-insert.js';
import { OUT_OF_STEP } from './flush.js';
import { openStoreFile } from './schema.js';
import { StoreState } from './store-state.js';
import type { WriteAnswer, WriteMessage, WriterInput } from './store-messages.js';

const CACHE_KIB = 8192;
const PING_BYTES = 1 << 20;

/** StoreWriter is the only one that changes the store's file; it runs in the writer thread. */
export class StoreWriter {
  /** The clock at the last batch, epoch ms. */
  nowMs: number;
  private hasFailed = false;
  private isSuspect = false;

  private constructor(
    private readonly input: WriterInput,
    private database: Database,
    private current: StoreState,
  ) {
    this.nowMs = input.nowMs;
  }

  static open(input: WriterInput): StoreWriter {
    const database = openStoreFile(input.file, CACHE_KIB);
    return new StoreWriter(input, database, StoreState.read(database));
  }

  /** state is what the writer last knew of the file. */
  get state(): StoreState {
    return this.current;
  }

  /**
   * sound is the state to base a transaction on. After an I/O error nobody knows what the connection's cached pages are
   * worth: it then opens a fresh one and reads a fresh state, which throws as long as the disk fails.
   */
  sound(): StoreState {
    if (this.isSuspect) {
      this.database.close();
      this.database = openStoreFile(this.input.file, CACHE_KIB);
      this.current = StoreState.read(this.database);
      this.isSuspect = false;
    }
    return this.current;
  }

  lastSeq(): number {
    const number = (sql: string): number => Number(this.database.prepare(sql).get([])?.n ?? 0);
    return Math.max(
      number('SELECT max(last_seq) AS n FROM commits'),
      number(`SELECT value AS n FROM meta WHERE name = 'last_seq'`),
      number('SELECT max(seq) AS n FROM drifts'),
    );
  }

  /** write commits a batch: all of it or, when it throws, nothing. */
  write(message: WriteMessage): WriteAnswer {
    const state = this.sound();
    const batch = this.commit((database) => insertBatch(database, state, message));
    state.committed(batch);
    this.nowMs = message.nowMs;
    return { ids: batch.introduced.map((series) => series.id) };
  }

  /**
   * ping makes a durable change, so that a full or broken disk shows. While the last commit failed it asks for more
   * room than a page, or a disk that is too full for any batch would pass; the pages are then free for the next one.
   */
  ping(): void {
    this.sound();
    const bytes = this.hasFailed ? PING_BYTES : 1;
    const write = `INSERT OR REPLACE INTO meta (name, value) VALUES ('ping', zeroblob(?))`;
    this.commit((database) => database.prepare(write).run([bytes]));
    if (bytes > 1) this.commit((database) => database.prepare(write).run([1]));
  }

  /** read runs a query on the writer's own connection. */
  read<T>(work: (database: Database) => T): T {
    return work(this.database);
  }

  /** rearrange is a commit of what loses nothing when a loss of power takes it back: it does not wait for the disk. */
  rearrange<T>(work: (database: Database) => T): T {
    return this.commit(work, { waits: false });
  }

  /** commit runs a transaction that is based on the `sound` state of the same turn. */
  commit<T>(work: (database: Database) => T, options?: TransactionOptions): T {
    try {
      const result = this.database.transaction(() => work(this.database), options);
      this.hasFailed = false;
      return result;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      this.hasFailed ||= code.startsWith('SQLITE_');
      this.isSuspect ||= code === OUT_OF_STEP || /^SQLITE_(IOERR|CORRUPT|CANTOPEN|MISUSE)/.test(code);
      throw error;
    }
  }

  close(): void {
    this.database.close();
  }
}
