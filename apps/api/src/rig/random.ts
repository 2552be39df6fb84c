/** Random draws whole numbers: `below(n)` is one of 0 .. n-1. */
export interface Random {
  below(n: number): number;
}

/** seededRandom repeats itself for the same seed (mulberry32), so that a failure can be run again. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    below(n) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n);
    },
  };
}
