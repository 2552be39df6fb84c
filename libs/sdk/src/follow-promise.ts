import type { Call } from './call.js';
import { putMethod } from './put-method.js';

/** Follow goes on with what a promise gave. */
export type Follow = (result: unknown, call: Call) => unknown;

/**
 * followPromise answers a promise that settles as `promise` does, once the call is noted. Only a derived one leaves
 * alone what the platform says of rejections nobody handles: listening to the original would count as handling it.
 */
export function followPromise(promise: Promise<unknown>, call: Call, follow: Follow): unknown {
  // Subclasses and their methods (`withResponse()`, `cancel()`) are kept by watching the object itself.
  if (Object.getPrototypeOf(promise) !== Promise.prototype) return followThenable(promise, call, follow);
  const derived = promise.then(
    (value) => follow(value, call),
    (error: unknown) => {
      call.fail();
      throw error;
    },
  );
  // Some libraries hang methods on a native promise (`pid`, `kill()`).
  for (const name of Object.keys(promise)) {
    const property = Object.getOwnPropertyDescriptor(promise, name);
    if (property !== undefined && name !== 'then') Reflect.defineProperty(derived, name, property);
  }
  return derived;
}

/**
 * followThenable watches the `then` of anything that has one, and answers the object. It must not call `then` itself:
 * query builders begin their work when it is called, once for each call.
 */
export function followThenable(thenable: object, call: Call, follow: Follow): unknown {
  const original: unknown = Reflect.get(thenable, 'then');
  if (typeof original !== 'function' || !call.claim(thenable)) return call.succeed(thenable);
  let hasValue = false;
  let kept: unknown;
  const onValue = (value: unknown): unknown => {
    kept = hasValue ? kept : follow(value, call);
    hasValue = true;
    return kept;
  };
  const then = function (this: unknown, onFulfilled?: unknown, onRejected?: unknown): unknown {
    return Reflect.apply(original, this, [
      (value: unknown): unknown => {
        const followed = onValue(value);
        return typeof onFulfilled === 'function' ? Reflect.apply(onFulfilled, undefined, [followed]) : followed;
      },
      (error: unknown): unknown => {
        call.fail();
        if (typeof onRejected === 'function') return Reflect.apply(onRejected, undefined, [error]);
        throw error;
      },
    ]);
  };
  if (!putMethod(thenable, 'then', then)) call.succeed(thenable);
  return thenable;
}
