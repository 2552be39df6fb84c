import type { Observation } from './observation.js';

/** Call is one call of an observed function that goes on after the function returned; it ends once. */
export class Call {
  readonly #observation: Observation;
  readonly #args: readonly unknown[];
  readonly #startedAt: number;
  #result: unknown;
  #items: number | undefined;
  #firstItemAt: number | undefined;
  #ended = false;

  constructor(observation: Observation, args: readonly unknown[], startedAt: number) {
    this.#observation = observation;
    this.#args = args;
    this.#startedAt = startedAt;
    observation.sink.opened();
  }

  /** claim tells whether this call is the first of its function to have `source` watched. */
  claim(source: object): boolean {
    if (this.#observation.followed.has(source)) return false;
    this.#observation.followed.add(source);
    return true;
  }

  /** streams makes it a call that gives items, and `result` what it returned. */
  streams(result: unknown): void {
    this.#result = result;
    this.#items = 0;
  }

  /** item counts one. */
  item(): void {
    if (this.#ended || this.#items === undefined) return;
    this.#firstItemAt ??= this.#observation.sink.clock.elapsed();
    this.#items++;
  }

  /** succeed ends the call with `result`, and answers it. */
  succeed<T>(result: T): T {
    this.#result = result;
    this.#end(false);
    return result;
  }

  /** end ends a call that gave items: its source is done, or was left early. */
  end(): void {
    this.#end(false);
  }

  /** fail ends the call as failed. */
  fail(): void {
    this.#result = undefined;
    this.#end(true);
  }

  #end(failed: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#observation.sink.closed();
    this.#observation.finish({
      args: this.#args,
      result: this.#result,
      failed,
      startedAt: this.#startedAt,
      items: this.#items,
      firstItemAt: this.#firstItemAt,
    });
  }
}
