import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';

/** Clock tells the time in milliseconds since some fixed moment and waits; tests pass one that they turn by hand. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** systemClock is the machine's monotonic clock with real waiting. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: async (ms) => {
    await wait(ms);
  },
};
