import type { Call } from './call.js';
import { followEmitter, isEmitterStream } from './follow-emitter.js';
import { followIterable, followIterator } from './follow-iterator.js';
import { followPromise, followThenable } from './follow-promise.js';
import { followReadable, isPlainReadable } from './follow-readable.js';
import { isRecord } from './is-record.js';

/**
 * follow has `call` end when `result` does: at once for a plain value, when it settles for a promise, when it is read
 * to its end or left for an iterator or a stream. It answers what the host is to get: `result` itself, but for a native
 * promise (one that settles the same) and a web stream (one that reads the same).
 */
export function follow(result: unknown, call: Call): unknown {
  if (!isRecord(result)) return call.succeed(result);
  try {
    if (result instanceof Promise) return followPromise(result, call, follow);
    return followObject(result, call);
  } catch {
    // A getter or a proxy of the host's that throws: such a result is left as it is.
    return call.succeed(result);
  }
}

function followObject(result: Record<PropertyKey, unknown>, call: Call): unknown {
  if (typeof result['then'] === 'function') return followThenable(result, call, follow);
  if (isPlainReadable(result)) return followReadable(result, call);
  if (isEmitterStream(result)) return followEmitter(result, call);
  // Another web stream can be read in ways that nothing would be heard of: the call counts as done.
  if (typeof result['getReader'] === 'function') return call.succeed(result);
  const isIterator = typeof result['next'] === 'function';
  const isAsync = typeof result[Symbol.asyncIterator] === 'function';
  if (isIterator && (isAsync || typeof result[Symbol.iterator] === 'function')) return followIterator(result, call);
  if (isAsync) return followIterable(result, call);
  return call.succeed(result);
}
