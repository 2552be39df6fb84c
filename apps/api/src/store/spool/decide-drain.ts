import type { StoreFaultKind } from '../store-fault.js';

/** DeadLetterReason is why lines are set aside: `beside_bad_points` are some that nobody looked at one by one. */
export type DeadLetterReason = 'bad_points' | 'beside_bad_points' | 'too_large';

/** DrainQuestion is a piece of a batch that the server did not take. */
export interface DrainQuestion {
  readonly kind: StoreFaultKind;
  /** What the server asked for, or null. */
  readonly retryAfterMs: number | null;
  /** Requests in a row that failed, this one included. */
  readonly failures: number;
  /** Lines of the piece. */
  readonly lines: number;
  /** A piece with bad points of so few lines is not searched any further. */
  readonly leastLines: number;
  /** In 0..1: spreads the tries of several processes. */
  readonly random: number;
}

/** DrainAction says what becomes of the piece. */
export type DrainAction =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'halve' }
  | { readonly kind: 'set_aside'; readonly reason: DeadLetterReason };

/** RetryPace says how long the waits between tries are, in ms. */
export interface RetryPace {
  /** The first wait; each further one is twice as long. */
  readonly firstMs: number;
  /** The longest. */
  readonly lastMs: number;
  /** The first where only a person can help: a token that is refused, an answer that nobody knows. */
  readonly slowMs: number;
  /** The longest that a server may ask for. */
  readonly maxAskedMs: number;
}

/** RETRY_PACE begins after 100 ms and ends at one try in 30 s. */
export const RETRY_PACE: RetryPace = { firstMs: 100, lastMs: 30_000, slowMs: 5000, maxAskedMs: 300_000 };

/**
 * decideDrain decides what becomes of lines that were not stored. Only what is wrong with the lines themselves sets them
 * aside, and only when they are alone; for all else they are kept and tried again, as long as it takes.
 */
export function decideDrain(question: DrainQuestion, pace: RetryPace = RETRY_PACE): DrainAction {
  const { kind, lines, leastLines } = question;
  switch (kind) {
    case 'too_large':
      return lines > 1 ? { kind: 'halve' } : { kind: 'set_aside', reason: 'too_large' };
    case 'bad_points':
      if (lines > Math.max(1, leastLines)) return { kind: 'halve' };
      return { kind: 'set_aside', reason: lines > 1 ? 'beside_bad_points' : 'bad_points' };
    case 'unauthorized':
    case 'refused':
      return { kind: 'retry', delayMs: delayMs(question, pace.slowMs, pace) };
    case 'unreachable':
    case 'timeout':
    case 'overloaded':
      return { kind: 'retry', delayMs: delayMs(question, pace.firstMs, pace) };
  }
}

/** Between half of the step and all of it, and never sooner than the server asked. */
function delayMs({ failures, retryAfterMs, random }: DrainQuestion, firstMs: number, pace: RetryPace): number {
  const step = Math.min(pace.lastMs, firstMs * 2 ** Math.min(30, failures - 1));
  const asked = Math.min(pace.maxAskedMs, retryAfterMs ?? 0);
  return Math.round(Math.max(step * (0.5 + 0.5 * random), asked));
}
