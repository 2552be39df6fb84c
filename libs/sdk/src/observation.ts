import { NO_ANNOTATIONS, readTags, readValues } from './annotations.js';
import type { Annotations } from './annotations.js';
import type { Clock } from './clock.js';
import type { ObserveOptions } from './observe-options.js';
import { ObservedPoint, observedHead } from './point.js';
import { MIN_LATENCY_MS } from './read-point.js';

/** ObserveSink is where observed calls end; none of it throws. */
export interface ObserveSink {
  readonly clock: Clock;
  /** take takes the point of one finished call. */
  take(point: ObservedPoint): void;
  /** refuse counts a finished call that cannot be a point. */
  refuse(message: string): void;
  /** leftOut counts tags, values or a request id that could not be sent. */
  leftOut(count: number): void;
  /** opened counts a call that goes on after its function returned, closed its end. */
  opened(): void;
  closed(): void;
}

/** FinishedCall is what is known when an observed call ends. */
export interface FinishedCall {
  readonly args: readonly unknown[];
  /** result is undefined where the call failed. */
  readonly result: unknown;
  readonly failed: boolean;
  /** startedAt in monotonic milliseconds. */
  readonly startedAt: number;
  /** items counts what a stream gave, undefined for calls that are none. */
  readonly items: number | undefined;
  /** firstItemAt is when the first of them came, in monotonic milliseconds. */
  readonly firstItemAt: number | undefined;
}

/** AnyObserveOptions is ObserveOptions for a function that nothing is known of. */
export type AnyObserveOptions = ObserveOptions<readonly unknown[], unknown>;

/** NO_OPTIONS has each call refused: a fault in the options shows in the stats, not as an exception. */
export const NO_OPTIONS: AnyObserveOptions = { modelId: '', modelType: 'tabular' };

/** Observation turns the finished calls of one wrapped function into points. */
export class Observation {
  readonly sink: ObserveSink;
  /** followed are the streams and promises under watch, so that one returned twice is not watched twice. */
  readonly followed = new WeakSet();
  readonly #options: AnyObserveOptions;
  readonly #head: string | undefined;
  readonly #tags: Annotations<string>;
  readonly #values: Annotations<number>;

  constructor(sink: ObserveSink, options: AnyObserveOptions) {
    this.sink = sink;
    this.#options = options;
    const { modelId, modelType, tags, values } = this.#options;
    const isGood = [modelId, modelType].every((text: unknown) => typeof text === 'string' && text !== '');
    this.#head = isGood ? observedHead(modelId, modelType) : undefined;
    this.#tags = typeof tags === 'function' ? NO_ANNOTATIONS : readTags(tags);
    this.#values = typeof values === 'function' ? NO_ANNOTATIONS : readValues(values);
    sink.leftOut(this.#tags.bad + this.#values.bad);
  }

  /** finish puts the point of one call aside; it never throws. */
  finish(call: FinishedCall): void {
    const { clock } = this.sink;
    const elapsedMs = clock.elapsed() - call.startedAt;
    if (this.#head === undefined) {
      this.sink.refuse('observe: modelId and modelType must be non-empty strings');
      return;
    }
    const tags =
      typeof this.#options.tags === 'function' ? this.#annotate(this.#options.tags, call, readTags) : this.#tags;
    const values = this.#readValues(call);
    const figures = {
      // Also for a clock that went nowhere or wrong: a latency is above 0.
      latencyMs: elapsedMs > MIN_LATENCY_MS ? elapsedMs : MIN_LATENCY_MS,
      timestampMs: clock.now(),
      failed: call.failed,
      requestId: this.#options.requestId === undefined ? undefined : this.#readRequestId(call),
      tags: tags.entries,
      values: call.items === undefined ? values.entries : { ...values.entries, ...streamValues(call, call.items) },
    };
    this.sink.take(new ObservedPoint(this.#head, figures, tags.bytes + values.bytes));
  }

  #readValues(call: FinishedCall): Annotations<number> {
    const { values } = this.#options;
    return typeof values === 'function' ? this.#annotate(values, call, readValues) : this.#values;
  }

  #annotate<T>(
    annotate: (args: readonly unknown[], result: unknown) => unknown,
    call: FinishedCall,
    read: (input: unknown) => Annotations<T>,
  ): Annotations<T> {
    try {
      const annotations = read(annotate(call.args, call.result));
      if (annotations.bad > 0) this.sink.leftOut(annotations.bad);
      return annotations;
    } catch {
      this.sink.leftOut(1);
      return NO_ANNOTATIONS;
    }
  }

  #readRequestId(call: FinishedCall): string | undefined {
    try {
      const id: unknown = this.#options.requestId?.(call.args, call.result);
      if (typeof id === 'string' && id !== '') return id;
      if (id !== undefined) this.sink.leftOut(1);
    } catch {
      this.sink.leftOut(1);
    }
    return undefined;
  }
}

function streamValues(call: FinishedCall, items: number): Record<string, number> {
  if (call.firstItemAt === undefined) return { items };
  return { time_to_first_item_ms: Math.max(MIN_LATENCY_MS, call.firstItemAt - call.startedAt), items };
}
