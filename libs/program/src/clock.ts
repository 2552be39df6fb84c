/** Clock tells the time of day (UTC epoch ms, may jump) and time that only moves forward (ms since some point). */
export interface Clock {
  readonly wallMs: () => number;
  readonly steadyMs: () => number;
}

/** systemClock is the machine's clock. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  steadyMs: () => performance.now(),
};
