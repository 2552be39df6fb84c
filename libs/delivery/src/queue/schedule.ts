const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** RETRY_HORIZON_MS is how long a delivery is tried: 24 hours. */
export const RETRY_HORIZON_MS = 24 * HOUR;

/** What is left of the 24 hours after the steps before it. */
const LAST_STEP =
  RETRY_HORIZON_MS - (5 * SECOND + 30 * SECOND + 2 * MINUTE + 10 * MINUTE + 30 * MINUTE + HOUR) - 7 * 3 * HOUR;

/** RETRY_STEPS_MS are the waits between tries, 24 hours in all: the first try and one after each step make 15. */
export const RETRY_STEPS_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  ...Array<number>(7).fill(3 * HOUR),
  LAST_STEP,
];

/** RetryQuestion is a try that failed and may be repeated. */
export interface RetryQuestion {
  /** Tries made since the schedule began, this one included. */
  readonly attempts: number;
  /** Milliseconds since the schedule began; less than 0 counts as 0 (a wall clock that was set back). */
  readonly ageMs: number;
  /** The least wait that the receiver asked for. */
  readonly afterMs?: number;
  /** In 0..1: spreads the tries of many deliveries that failed together. */
  readonly random: number;
}

/** RetryAnswer says when to try again, or that the schedule is exhausted. */
export type RetryAnswer = { readonly kind: 'retry'; readonly delayMs: number } | { readonly kind: 'dead' };

/**
 * nextAttempt decides when a delivery is tried again. Each wait is 80 to 100% of its step, and never shorter than what the
 * receiver asked for, as long as that lies within the 24 hours. The count of tries ends the schedule by itself, so
 * that a wall clock set back cannot stretch it without end.
 */
export function nextAttempt({ attempts, ageMs, afterMs = 0, random }: RetryQuestion): RetryAnswer {
  const step = RETRY_STEPS_MS[attempts - 1];
  const left = RETRY_HORIZON_MS - Math.max(0, ageMs);
  if (step === undefined || left <= 0) return { kind: 'dead' };
  const jittered = step * (0.8 + 0.2 * random);
  return { kind: 'retry', delayMs: Math.round(Math.max(jittered, Math.min(afterMs, left))) };
}
