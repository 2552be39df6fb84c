import type { ModelType } from './read-point.js';

/** Annotate makes something of a finished call: its arguments and its result, undefined where the call failed. */
export type Annotate<Args extends readonly unknown[], Result, T> = (args: Args, result: Result | undefined) => T;

/** ObserveOptions says which model a function runs, and what to note about each call. */
export interface ObserveOptions<Args extends readonly unknown[], Result> {
  readonly modelId: string;
  readonly modelType: ModelType;
  /** tags are fixed, or made of each call; null and undefined entries are left out. */
  readonly tags?: OptionalEntries<string> | Annotate<Args, Result, OptionalEntries<string> | undefined>;
  /** values are custom metrics, fixed or made of each call; only finite numbers can be sent. */
  readonly values?: OptionalEntries<number> | Annotate<Args, Result, OptionalEntries<number> | undefined>;
  /** requestId names the call (a random UUID). */
  readonly requestId?: Annotate<Args, Result, string | undefined>;
}

/** OptionalEntries is an object of T in which an entry may be missing. */
export type OptionalEntries<T> = Readonly<Record<string, T | null | undefined>>;

/** Callable is any function. */
export type Callable = (...args: never[]) => unknown;

/**
 * MethodOf is any method that can be called with `Args` and answers `Result` or a promise of it. Taken from a method's
 * signature, since those of functions would demand that it accepts all that `Args` allows.
 */
export type MethodOf<Args extends readonly unknown[], Result> = {
  method(...args: Args): Result | PromiseLike<Result>;
}['method'];

/** ObserveDecorator decorates a method, as the standard has it or as `experimentalDecorators` does. */
export interface ObserveDecorator<Args extends readonly unknown[], Result> {
  <This, Method extends MethodOf<Args, Result>>(
    method: Method,
    context: ClassMethodDecoratorContext<This, Method>,
  ): Method;
  <Method extends MethodOf<Args, Result>>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): TypedPropertyDescriptor<Method>;
}

/** Observe wraps a function, or makes the decorator that wraps a method. */
export interface Observe {
  <F extends Callable>(fn: F, options: ObserveOptions<Parameters<F>, Awaited<ReturnType<F>>>): F;
  <Args extends readonly unknown[] = readonly unknown[], Result = unknown>(
    options: ObserveOptions<Args, Result>,
  ): ObserveDecorator<Args, Result>;
}
