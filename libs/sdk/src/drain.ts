/** DrainOutcome tells `flush()` and `close()` whether everything recorded before the call has its final answer. */
export type DrainOutcome =
  | { readonly outcome: 'drained' }
  /** pending: `timeout` while trying, or `unreachable` where no further try falls within the time. */
  | { readonly outcome: 'pending'; readonly reason: 'timeout' | 'unreachable'; readonly remaining: number };

/** Drain is someone waiting for the points up to `marks` (a buffer position for each lane). */
export interface Drain {
  readonly marks: readonly number[];
  /** deadline in monotonic milliseconds. */
  readonly deadline: number;
  readonly end: (outcome: DrainOutcome) => void;
}
