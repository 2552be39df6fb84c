import type { Call } from './call.js';

/**
 * isPlainReadable tells whether `value` is a web stream that may be read through another one: not locked yet, and no
 * subclass, whose methods would be lost.
 */
export function isPlainReadable(value: object): value is ReadableStream<unknown> {
  if (typeof ReadableStream === 'undefined' || Object.getPrototypeOf(value) !== ReadableStream.prototype) return false;
  return value instanceof ReadableStream && !value.locked;
}

/**
 * followReadable answers a stream that reads as `source` does and ends the call with it. A new one, since pipes, tees
 * and responses read a stream where no method of it can be watched. It asks for nothing before it is asked itself.
 */
export function followReadable(source: ReadableStream<unknown>, call: Call): ReadableStream<unknown> {
  const isByteStream = readsBytes(source);
  const reader = source.getReader();
  const cancel = async (reason: unknown): Promise<void> => {
    call.end();
    await reader.cancel(reason);
  };
  const read = async (): Promise<ReadableStreamReadResult<unknown>> => {
    try {
      const result = await reader.read();
      if (result.done) call.end();
      else call.item();
      return result;
    } catch (error) {
      call.fail();
      throw error;
    }
  };
  const followed: ReadableStream<unknown> = isByteStream
    ? new ReadableStream({ type: 'bytes', pull: (controller) => pullBytes(read, controller), cancel })
    : new ReadableStream({ pull: (controller) => pullItem(read, controller), cancel }, { highWaterMark: 0 });
  call.streams(followed);
  return followed;
}

type Read = () => Promise<ReadableStreamReadResult<unknown>>;

async function pullItem(read: Read, controller: ReadableStreamDefaultController<unknown>): Promise<void> {
  const { done, value } = await read();
  if (done) controller.close();
  else controller.enqueue(value);
}

async function pullBytes(read: Read, controller: ReadableByteStreamController): Promise<void> {
  const { done, value } = await read();
  if (done) {
    controller.close();
    // A reader that brought its own buffer waits for it back.
    controller.byobRequest?.respond(0);
  } else if (ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer) {
    controller.enqueue(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
}

/** readsBytes asks the only way there is: a stream of anything else refuses such a reader. */
function readsBytes(stream: ReadableStream<unknown>): boolean {
  try {
    stream.getReader({ mode: 'byob' }).releaseLock();
    return true;
  } catch {
    return false;
  }
}
