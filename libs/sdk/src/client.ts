import type { DrainOutcome } from './drain.js';
import { makeObserve } from './observe.js';
import type { Observe } from './observe-options.js';
import { resolveOptions } from './options.js';
import type { ResolvedOptions, TidemarkOptions } from './options.js';
import { Outbox } from './outbox.js';
import { ReadyPoint } from './point.js';
import type { Point, PointKind } from './point.js';
import { readDriftPoint, readInferencePoint } from './read-point.js';
import type { DriftPoint, InferencePoint, ReadPoint } from './read-point.js';
import { Reporter } from './reporter.js';
import { Sender } from './sender.js';
import { Ledger } from './stats.js';
import type { Stats } from './stats.js';
import { Transport } from './transport.js';

/**
 * Tidemark observes functions and sends what it measured, in the background. Only its construction throws, a TypeError
 * that names each fault in the options; after that nothing it does reaches the host as an exception or a delay.
 */
export class Tidemark {
  /**
   * observe(fn, options) answers `fn` observed: called as before, and each call measured. observe(options) answers the
   * decorator that does so to a method. It may be taken off the client: `const { observe } = client`.
   */
  readonly observe: Observe;
  readonly #options: ResolvedOptions;
  readonly #ledger = new Ledger();
  readonly #reporter: Reporter;
  readonly #sender: Sender;
  #closing: Promise<DrainOutcome> | undefined;

  constructor(options: TidemarkOptions) {
    const resolved = resolveOptions(options);
    const { clock } = resolved;
    const ledger = this.#ledger;
    const reporter = new Reporter(resolved, ledger, clock);
    const outbox = new Outbox({ options: resolved, ledger, reporter });
    this.#options = resolved;
    this.#reporter = reporter;
    this.#sender = new Sender({ options: resolved, ledger, reporter, outbox, transport: new Transport(resolved) });
    this.observe = makeObserve({
      clock,
      take: (point) => this.#take('inference', point),
      refuse: (message) => this.#refuse('inference', message),
      leftOut: (count) => (ledger.annotationErrors += count),
      opened: () => ledger.openCalls++,
      closed: () => ledger.openCalls--,
    });
  }

  /** record sends one inference measured by the host; what is wrong with it is counted and told to onDrop. */
  record(point: InferencePoint): void {
    this.#read('inference', readInferencePoint(point, this.#options.clock.now()));
  }

  /** drift sends one finding of drift; what is wrong with it is counted and told to onDrop. */
  drift(point: DriftPoint): void {
    this.#read('drift', readDriftPoint(point, this.#options.clock.now()));
  }

  /** stats answers the account: recorded = accepted + rejected + dropped + buffered + inFlight. */
  stats(): Stats {
    return this.#ledger.snapshot(this.#sender.figures());
  }

  /**
   * flush sends what was recorded so far without waiting for more, and answers when all of it has its final answer, or
   * that some has not within `timeoutMs` (`closeTimeoutMs`); that stays and is tried on. It never rejects.
   */
  flush(timeoutMs: number = this.#options.closeTimeoutMs): Promise<DrainOutcome> {
    return this.#sender.drain(toTimeout(timeoutMs), 'backoff');
  }

  /**
   * close flushes, gives up what is still unsent after `timeoutMs` (`closeTimeoutMs`), told to onDrop, and lets go of
   * everything. Observed functions go on working, unobserved. It never rejects; called again it answers the same.
   */
  close(timeoutMs: number = this.#options.closeTimeoutMs): Promise<DrainOutcome> {
    this.#closing ??= this.#close(toTimeout(timeoutMs));
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<DrainOutcome> {
    const outcome = await this.#sender.drain(timeoutMs, 'breaker');
    this.#sender.stop('closed');
    this.#reporter.deliver();
    return outcome;
  }

  #read(kind: PointKind, read: ReadPoint): void {
    if (read.ok) this.#take(kind, new ReadyPoint(read.json));
    else this.#refuse(kind, read.message);
  }

  #take(kind: PointKind, point: Point): void {
    this.#ledger.recorded++;
    this.#sender.offer(kind, point);
  }

  #refuse(kind: PointKind, message: string): void {
    this.#ledger.recorded++;
    this.#ledger.reject('invalid', 1);
    this.#reporter.dropped({ kind, reason: 'invalid', message, count: 1 });
  }
}

/** toTimeout answers a wait that timers can hold, whatever was given. */
function toTimeout(timeoutMs: unknown): number {
  return typeof timeoutMs === 'number' && timeoutMs > 0 ? Math.min(timeoutMs, 2_147_483_647) : 0;
}
