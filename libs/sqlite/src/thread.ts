import { parentPort, workerData, type Transferable } from 'node:worker_threads';

/** Reply is what a handler answers: a value to clone, and the buffers in it to hand over without copying. */
export interface Reply {
  readonly value?: unknown;
  readonly transfer?: readonly Transferable[];
}

/** Handlers are the methods a thread program answers, by name. */
export type Handlers = Record<string, (argument: never) => Reply | void>;

/** ThreadRequest is one call on its way into the thread. */
export interface ThreadRequest {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

/** ThreadReply is the answer to the request of the same id. */
export interface ThreadReply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string; readonly stack?: string };
}

/** ThreadNote is what the program tells without having been asked. */
export interface ThreadNote {
  readonly note: unknown;
}

/** READY is posted once, when the program has opened what it needs and can answer. */
export const READY = 'ready';

/** threadInput returns what the opener handed to this thread. */
export function threadInput<T>(): T {
  return workerData as T;
}

/** note tells the opener something without having been asked; it is to be called once the program is ready. */
export function note(value: unknown): void {
  parentPort?.postMessage({ note: value } satisfies ThreadNote);
}

/** serve answers requests one at a time, in order of arrival, until the thread is ended. */
export function serve(handlers: Handlers): void {
  const port = parentPort;
  if (!port) throw new Error('a SQLite thread program must run in a worker thread');
  port.on('message', (request: ThreadRequest) => {
    try {
      const handler = handlers[request.method];
      if (!handler) throw new Error(`the thread has no method "${request.method}"`);
      const reply = handler(request.argument as never) ?? {};
      port.postMessage({ id: request.id, value: reply.value } satisfies ThreadReply, reply.transfer ?? []);
    } catch (error) {
      port.postMessage({ id: request.id, error: describe(error) } satisfies ThreadReply);
    }
  });
  port.postMessage(READY);
}

function describe(error: unknown): NonNullable<ThreadReply['error']> {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { name: error.name, message: error.message, code, stack: error.stack };
}
