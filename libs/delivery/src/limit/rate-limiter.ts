/** Limit allows at most `max` different ids under one key in any stretch of `windowMs` milliseconds. */
export interface Limit {
  readonly key: string;
  /** At least 1. */
  readonly max: number;
  /** More than 0. */
  readonly windowMs: number;
}

/** Take is the answer of a limiter: `key` is the limit that makes one wait longest, `retryAfterMs` how long. */
export type Take =
  { readonly allowed: true } | { readonly allowed: false; readonly key: string; readonly retryAfterMs: number };

/** RateLimiter is an exact sliding window: it looks back from each moment, never at fixed slots of the clock. */
export interface RateLimiter {
  /**
   * Takes a place under every limit, or under none if one of them is full. An id that already has a place keeps it and is
   * allowed again, its time being moved to now: a repeat of one message is one message, and a crash between taking and
   * sending costs nothing. Throws RangeError for a limit out of range.
   */
  take(limits: readonly Limit[], id: string): Promise<Take>;
}

/** assertLimit throws RangeError for a limit that makes no sense. */
export function assertLimit({ key, max, windowMs }: Limit): void {
  if (!Number.isInteger(max) || max < 1) throw new RangeError(`the limit ${key} must allow a whole number from 1 on`);
  if (!(windowMs > 0) || !Number.isFinite(windowMs)) throw new RangeError(`the window of ${key} must be longer than 0`);
}
