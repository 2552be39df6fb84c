/** Pace says how far the store's tidying may fall behind its commits. */
export interface Pace {
  /** Fold when this many points are in no rollup yet. Readers sum those up one by one, some 10 million a second. */
  readonly unfoldedPoints: number;
  /** Fold when the oldest of them waits this long, ms. */
  readonly unfoldedMs: number;
  /** Merge an hour of a series when it has this many chunks. */
  readonly ripeChunks: number;
  /** Merge only after commits have rested this long, ms ... */
  readonly restMs: number;
  /** ... unless this many chunks wait in all. */
  readonly looseChunks: number;
}

/** DEFAULT_PACE keeps what a reader has to sum up point by point under 10 ms, and the chunks it has to open few. */
export const DEFAULT_PACE: Pace = {
  unfoldedPoints: 100_000,
  unfoldedMs: 15_000,
  ripeChunks: 64,
  restMs: 500,
  looseChunks: 10_000,
};
