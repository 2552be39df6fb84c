/**
 * StoreFaultKind says what a server did with lines that it did not take:
 * - `unreachable`: no connection, or it broke before the answer; whether anything was stored is unknown.
 * - `timeout`: no answer in time; whether anything was stored is unknown.
 * - `overloaded`: 429 or 503, nothing was stored; `retryAfterMs` says how long to stay away if the server said so.
 * - `unauthorized`: 401 or 403; the lines are good, the token or the password is not.
 * - `too_large`: 413, nothing was stored; half of the lines may pass.
 * - `bad_points`: 400 or 422 over single lines; the good ones may be stored. Sending half at a time finds the bad ones.
 * - `refused`: any other answer; nothing can be said about the lines.
 * Lines may always be sent again: the same line stored twice is one point.
 */
export type StoreFaultKind =
  'unreachable' | 'timeout' | 'overloaded' | 'unauthorized' | 'too_large' | 'bad_points' | 'refused';

/** StoreFaultDetail is what is known about a fault besides its kind. */
export interface StoreFaultDetail extends ErrorOptions {
  /** ms that the server asked for, or null. */
  readonly retryAfterMs?: number | null;
}

/** StoreFault is the error of every request that a point server did not take; `kind` says what to do with the lines. */
export class StoreFault extends Error {
  readonly code = 'STORE_FAULT';
  readonly retryAfterMs: number | null;

  constructor(
    readonly kind: StoreFaultKind,
    message: string,
    { retryAfterMs = null, ...options }: StoreFaultDetail = {},
  ) {
    super(message, options);
    this.name = 'StoreFault';
    this.retryAfterMs = retryAfterMs;
  }
}
