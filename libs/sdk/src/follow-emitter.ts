import type { Call } from './call.js';
import { isRecord } from './is-record.js';
import { putMethod } from './put-method.js';

/** isEmitterStream tells whether `value` is a stream of Node's, by its shape. */
export function isEmitterStream(value: Record<PropertyKey, unknown>): boolean {
  return ['on', 'emit', 'pipe', 'read'].every((name) => typeof value[name] === 'function');
}

/**
 * followEmitter watches what a Node stream emits, and answers the stream. Whichever way it is read, each chunk passes
 * as a `data` event; a listener of ours would start the stream, and one for `error` would hide an error from the host.
 */
export function followEmitter(stream: Record<PropertyKey, unknown>, call: Call): unknown {
  const { emit } = stream;
  if (typeof emit !== 'function' || !call.claim(stream)) return call.succeed(stream);
  call.streams(stream);
  const watched = function (this: unknown, event: unknown, ...args: unknown[]): unknown {
    if (event === 'data') call.item();
    else if (event === 'error' && !isAbort(args[0])) call.fail();
    else if (event === 'end' || event === 'close') call.end();
    return Reflect.apply(emit, this, [event, ...args]);
  };
  if (!putMethod(stream, 'emit', watched)) call.succeed(stream);
  return stream;
}

/** isAbort knows the error that Node itself makes of a loop left early. */
function isAbort(error: unknown): boolean {
  return isRecord(error) && error['code'] === 'ABORT_ERR';
}
