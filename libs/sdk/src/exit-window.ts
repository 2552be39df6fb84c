/** SETTLED_MS after a window's end, a process that is still there was not ending: its next end gets a new window. */
const SETTLED_MS = 10_000;

/**
 * ExitWindow is the time a process that has nothing else to do is kept for what is unsent. It bounds the whole wait,
 * however often the process comes to its end: whatever is sent then brings it there once more.
 */
export class ExitWindow {
  readonly #lengthMs: number;
  #until = -Infinity;
  #gaveUp = false;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** until is the end of the window in monotonic milliseconds. */
  get until(): number {
    return this.#until;
  }

  /** turn answers what to do at an end of the process: try at once (`first`), go on as armed (`again`), or nothing. */
  turn(now: number): 'first' | 'again' | 'over' {
    if (this.#lengthMs === 0) return 'over';
    if (now > this.#until + SETTLED_MS) {
      this.#until = now + this.#lengthMs;
      this.#gaveUp = false;
      return 'first';
    }
    return this.isOpen(now) ? 'again' : 'over';
  }

  /** isOpen tells whether the process is being kept. */
  isOpen(now: number): boolean {
    return now < this.#until && !this.#gaveUp;
  }

  /** waitsFor tells whether a try at `dueAt` is worth keeping the process for. */
  waitsFor(dueAt: number, now: number): boolean {
    return this.isOpen(now) && dueAt < this.#until;
  }

  /** giveUp ends the window early: nobody answers, so the process is not kept for it. */
  giveUp(): void {
    this.#gaveUp = true;
  }
}
