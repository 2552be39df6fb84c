/** Pace says how far the store's tidying may fall behind its commits. */
export interface Pace {
  /** Flush when this many points have been committed since the last flush. */
  readonly flushPoints: number;
  /** Flush when the oldest of them waits this long, ms. */
  readonly flushMs: number;
}

/** DEFAULT_PACE keeps what a reader has to look at point by point under some 5 ms. */
export const DEFAULT_PACE: Pace = { flushPoints: 100_000, flushMs: 15_000 };
