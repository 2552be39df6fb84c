/** BreakerState says whether sending is allowed: `closed` yes, `open` no, `half_open` one try to find out. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** BreakerLimits says when a breaker opens and for how long; every failed try doubles the time up to the maximum. */
export interface BreakerLimits {
  readonly failures: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
}

/** CircuitBreaker stops the tries at a server that keeps failing, and lets one through at growing intervals. */
export class CircuitBreaker {
  readonly #limits: BreakerLimits;
  #failures = 0;
  #openings = 0;
  #openUntil = 0;

  constructor(limits: BreakerLimits) {
    this.#limits = limits;
  }

  /** state answers where the breaker stands at `now` (milliseconds of a clock that only goes forward). */
  state(now: number): BreakerState {
    if (this.#openings === 0) return 'closed';
    return now < this.#openUntil ? 'open' : 'half_open';
  }

  /** openUntil answers from when on a try is allowed; 0 while closed. */
  get openUntil(): number {
    return this.#openings === 0 ? 0 : this.#openUntil;
  }

  /** succeed closes the breaker: the server answered sensibly. */
  succeed(): void {
    this.#failures = 0;
    this.#openings = 0;
    this.#openUntil = 0;
  }

  /** fail counts a failure at `now`; the last of the allowed ones, or any while not closed, opens the breaker. */
  fail(now: number): void {
    this.#failures++;
    if (this.#failures >= this.#limits.failures || this.#openings > 0) this.open(now);
  }

  /** open opens the breaker at once, twice as long as the time before. */
  open(now: number): void {
    const openMs = Math.min(this.#limits.maxOpenMs, this.#limits.openMs * 2 ** Math.min(this.#openings, 30));
    this.#openings++;
    this.#openUntil = now + openMs;
  }
}
