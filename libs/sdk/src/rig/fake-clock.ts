import type { Clock } from '../clock.js';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** FakeClock is a clock that stands until it is advanced. */
export class FakeClock implements Clock {
  #elapsed = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#elapsed + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** advance lets `ms` pass and runs what falls due, in order. */
  advance(ms: number): void {
    const until = this.#elapsed + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#elapsed = Math.max(this.#elapsed, due.at);
      due.run();
    }
    this.#elapsed = until;
  }
}
