/** Clock is the time and the timers a client runs on; a test passes its own. */
export interface Clock {
  /** now is the wall clock in epoch milliseconds; it may jump. */
  now(): number;
  /** elapsed is a clock that only goes forward, in milliseconds with a fraction, from any origin. */
  elapsed(): number;
  /** after runs `run` once in `delayMs`; without `keepAlive` the process may end first. Answers how to cancel. */
  after(delayMs: number, run: () => void, keepAlive: boolean): () => void;
}

/** systemClock is the clock of the machine, the same in Node and in browsers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(delayMs, run, keepAlive) {
    const timer = setTimeout(run, delayMs);
    // A browser answers a number, Node an object that would keep the process alive.
    if (!keepAlive && typeof timer === 'object') timer.unref();
    return () => clearTimeout(timer);
  },
};
