import type { BreakerState } from './circuit-breaker.js';

/** DropReason says why a point was given up though nothing was wrong with it. */
export type DropReason = 'buffer_full' | 'expired' | 'closed' | 'exit';

/** Failure is the last thing that went wrong while sending. */
export interface Failure {
  /** reason is `network`, `timeout`, `http_<status>` or `unexpected_answer`. */
  readonly reason: string;
  readonly message: string;
  /** at is the wall clock, epoch milliseconds. */
  readonly at: number;
}

/** Stats is a client's account; at any moment recorded = accepted + rejected + dropped + buffered + inFlight. */
export interface Stats {
  /** recorded counts the points handed to the client, bad ones included. */
  readonly recorded: number;
  /** accepted counts the points the server said it took. */
  readonly accepted: number;
  /** rejected counts the points refused, here or by the server. */
  readonly rejected: number;
  /** dropped counts the points given up. */
  readonly dropped: number;
  /** buffered counts the points waiting for a batch. */
  readonly buffered: number;
  /** inFlight counts the points in batches that have no final answer yet, those waiting for the next try included. */
  readonly inFlight: number;
  /** rejectedBy splits rejected: `invalid` and `too_large` were refused here, the other codes are the server's. */
  readonly rejectedBy: Readonly<Record<string, number>>;
  /** droppedBy splits dropped. */
  readonly droppedBy: Readonly<Partial<Record<DropReason, number>>>;
  /** requests counts the HTTP requests begun. */
  readonly requests: number;
  /** retries counts those of them that were not a batch's first. */
  readonly retries: number;
  /** openCalls counts observed calls that returned a promise or a stream that has not ended yet. */
  readonly openCalls: number;
  /** annotationErrors counts tags, values and request ids left out: their function threw, or it cannot be sent. */
  readonly annotationErrors: number;
  /** hookErrors counts the times onDrop, onReject or warn threw. */
  readonly hookErrors: number;
  readonly breaker: BreakerState;
  readonly lastFailure: Failure | undefined;
}

/** MAX_CODES bounds the codes kept apart in rejectedBy, whatever a server invents; the rest add up as `other`. */
const MAX_CODES = 64;

/** Ledger is the account behind Stats: plain counters, written by whoever decides about a point. */
export class Ledger {
  recorded = 0;
  requests = 0;
  retries = 0;
  openCalls = 0;
  annotationErrors = 0;
  hookErrors = 0;
  lastFailure: Failure | undefined;
  #accepted = 0;
  #rejected = 0;
  #dropped = 0;
  readonly #rejectedBy = new Map<string, number>();
  readonly #droppedBy = new Map<DropReason, number>();

  accept(count: number): void {
    this.#accepted += count;
  }

  reject(code: string, count: number): void {
    this.#rejected += count;
    const key = this.#rejectedBy.has(code) || this.#rejectedBy.size < MAX_CODES ? code : 'other';
    this.#rejectedBy.set(key, (this.#rejectedBy.get(key) ?? 0) + count);
  }

  drop(reason: DropReason, count: number): void {
    this.#dropped += count;
    this.#droppedBy.set(reason, (this.#droppedBy.get(reason) ?? 0) + count);
  }

  /** snapshot answers the account with what only the sender knows. */
  snapshot(sending: Pick<Stats, 'buffered' | 'inFlight' | 'breaker'>): Stats {
    return {
      recorded: this.recorded,
      accepted: this.#accepted,
      rejected: this.#rejected,
      dropped: this.#dropped,
      buffered: sending.buffered,
      inFlight: sending.inFlight,
      rejectedBy: Object.fromEntries(this.#rejectedBy),
      droppedBy: Object.fromEntries(this.#droppedBy),
      requests: this.requests,
      retries: this.retries,
      openCalls: this.openCalls,
      annotationErrors: this.annotationErrors,
      hookErrors: this.hookErrors,
      breaker: sending.breaker,
      lastFailure: this.lastFailure,
    };
  }
}
