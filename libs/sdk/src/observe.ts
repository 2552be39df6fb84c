import { Call } from './call.js';
import { copyMetadata } from './copy-metadata.js';
import { follow } from './follow.js';
import { isRecord } from './is-record.js';
import { NO_OPTIONS, Observation } from './observation.js';
import type { AnyObserveOptions, FinishedCall, ObserveSink } from './observation.js';
import type { Callable, Observe, ObserveDecorator, ObserveOptions } from './observe-options.js';

/** makeObserve answers an `observe` whose calls end in `sink`. */
export function makeObserve(sink: ObserveSink): Observe {
  return toObserve((fn, options) => wrap(fn, new Observation(sink, options)));
}

/** ClientSource answers the client to observe with, undefined where there is none yet. */
export type ClientSource = () => { readonly observe: Observe } | undefined;

/**
 * observeWith answers an `observe` that asks for its client at each call: for decorators, which run when their class is
 * loaded, mostly before any client is made. While there is none, calls pass unobserved.
 */
export function observeWith(source: ClientSource): Observe {
  return toObserve((fn, options) => {
    let last: ReturnType<ClientSource>;
    let observed: Callable = fn;
    const apply = (target: Callable, self: unknown, args: unknown[]): unknown => {
      const client = ask(source);
      if (client === undefined) return Reflect.apply(target, self, args);
      if (client !== last) {
        observed = client.observe(target, options);
        last = client;
      }
      return Reflect.apply(observed, self, args);
    };
    return new Proxy(fn, { apply });
  });
}

function ask(source: ClientSource): ReturnType<ClientSource> {
  try {
    return source();
  } catch {
    return undefined;
  }
}

/**
 * wrap answers `fn` behind a proxy, which has its name, length, properties and prototype by being it, and which calls
 * it with the same `this`. Construction passes through unobserved.
 */
function wrap<F extends Callable>(fn: F, observation: Observation): F {
  const { clock } = observation.sink;
  const apply = (target: F, self: unknown, args: unknown[]): unknown => {
    const startedAt = clock.elapsed();
    let result: unknown;
    try {
      result = Reflect.apply(target, self, args);
    } catch (error) {
      observation.finish(plainCall(args, startedAt, undefined, true));
      throw error;
    }
    if (typeof result === 'object' && result !== null) return follow(result, new Call(observation, args, startedAt));
    observation.finish(plainCall(args, startedAt, result, false));
    return result;
  };
  return new Proxy(fn, { apply });
}

function plainCall(args: readonly unknown[], startedAt: number, result: unknown, failed: boolean): FinishedCall {
  return { args, result, failed, startedAt, items: undefined, firstItemAt: undefined };
}

/** toObserve gives a way of wrapping its two forms: with a function, and as a decorator. */
function toObserve(wrapWith: (fn: Callable, options: AnyObserveOptions) => Callable): Observe {
  function observe<F extends Callable>(fn: F, options: ObserveOptions<Parameters<F>, Awaited<ReturnType<F>>>): F;
  function observe<Args extends readonly unknown[], Result>(
    options: ObserveOptions<Args, Result>,
  ): ObserveDecorator<Args, Result>;
  function observe(first: unknown, second?: unknown): unknown {
    if (isCallable(first)) return wrapWith(first, toOptions(second));
    const wrapMethod = (method: Callable): Callable => {
      const wrapped = wrapWith(method, toOptions(first));
      copyMetadata(method, wrapped);
      return wrapped;
    };
    return (value: unknown, second: unknown, descriptor: unknown) =>
      decorate({ value, second, descriptor, wrapMethod });
  }
  return observe;
}

interface Decoration {
  /** value is the method (standard) or the class's prototype (legacy). */
  readonly value: unknown;
  /** second is the context (standard) or the method's name (legacy). */
  readonly second: unknown;
  /** descriptor is the method's (legacy). */
  readonly descriptor: unknown;
  readonly wrapMethod: (method: Callable) => Callable;
}

/** decorate answers what replaces a method, in the form that was used; anything else than a method stays as it is. */
function decorate({ value, second, descriptor, wrapMethod }: Decoration): unknown {
  if (isRecord(second)) return second['kind'] === 'method' && isCallable(value) ? wrapMethod(value) : undefined;
  if (!isRecord(descriptor) || !isCallable(descriptor['value'])) return undefined;
  return { ...descriptor, value: wrapMethod(descriptor['value']) };
}

/** toOptions takes any object for options; an observation looks at each member before it uses it. */
function toOptions(given: unknown): AnyObserveOptions {
  return isOptions(given) ? given : NO_OPTIONS;
}

function isOptions(given: unknown): given is AnyObserveOptions {
  return isRecord(given);
}

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function';
}
