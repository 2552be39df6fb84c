import { Worker, type Transferable } from 'node:worker_threads';
import { READY, type ThreadNote, type ThreadReply } from './thread.js';

/** SqliteError is an error that happened inside the thread; `code` is SQLite's own (SQLITE_FULL, SQLITE_IOERR ...). */
export class SqliteError extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SqliteError';
  }
}

/** ThreadOptions name the program that the thread runs and what it is given at the start. */
export interface ThreadOptions {
  readonly entry: URL;
  readonly input: unknown;
  /** Old-space limit of the thread's heap in MB; Node's default when absent. */
  readonly maxHeapMb?: number;
  /** Called once if the thread dies without having been closed. */
  readonly onDeath?: (error: Error) => void;
  /** Called with what the program tells by itself, in order. */
  readonly onNote?: (note: unknown) => void;
}

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** SqliteThread is the handle of a worker thread that owns one SQLite file; calls are answered in order. */
export class SqliteThread {
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private closed = false;
  private death: Error | null = null;

  private constructor(
    private readonly worker: Worker,
    private readonly onDeath: ((error: Error) => void) | undefined,
  ) {}

  /** open starts the thread and resolves when its program has opened the file; it rejects with the program's own error. */
  static async open(options: ThreadOptions): Promise<SqliteThread> {
    const worker = new Worker(options.entry, {
      workerData: options.input,
      ...(options.maxHeapMb ? { resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb } } : {}),
    });
    const thread = new SqliteThread(worker, options.onDeath);
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (message: unknown) => {
        if (message !== READY) return reject(new Error('the SQLite thread spoke before it was ready'));
        worker.off('error', reject);
        resolve();
      });
    });
    worker.on('message', (message: ThreadReply | ThreadNote) => {
      if ('note' in message) options.onNote?.(message.note);
      else thread.settle(message);
    });
    worker.on('error', (error: Error) => thread.die(error));
    worker.on('exit', (code) => thread.die(new Error(`the SQLite thread ended with code ${code}`)));
    return thread;
  }

  /** call runs `method` in the thread; buffers in `transfer` are handed over and unusable here afterwards. */
  call<T>(method: string, argument?: unknown, transfer: readonly Transferable[] = []): Promise<T> {
    if (this.death)
      return Promise.reject(new SqliteError('the SQLite thread is gone', 'THREAD_GONE', { cause: this.death }));
    if (this.closed) return Promise.reject(new SqliteError('the SQLite thread is closed', 'THREAD_CLOSED'));
    const id = this.nextId++;
    return new Promise<T>((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ id, method, argument }, transfer);
    });
  }

  /** waiting is the number of calls that have not been answered yet. */
  get waiting(): number {
    return this.pending.size;
  }

  /** close asks the program to close its file (method `close`), then ends the thread; calls already made are answered first. */
  async close(): Promise<void> {
    if (this.closed || this.death) return;
    const closing = this.call('close');
    this.closed = true;
    await closing;
    await this.worker.terminate();
  }

  private settle(reply: ThreadReply): void {
    const waiter = this.pending.get(reply.id);
    if (!waiter) return;
    this.pending.delete(reply.id);
    if (!reply.error) return waiter.resolve(reply.value as never);
    const error = new SqliteError(reply.error.message, reply.error.code);
    if (reply.error.stack) error.stack = reply.error.stack;
    waiter.reject(error);
  }

  private die(error: Error): void {
    if (this.closed || this.death) return;
    this.death = error;
    for (const waiter of this.pending.values()) {
      waiter.reject(new SqliteError('the SQLite thread died', 'THREAD_GONE', { cause: error }));
    }
    this.pending.clear();
    this.onDeath?.(error);
  }
}
