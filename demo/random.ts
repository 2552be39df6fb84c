/** Random is a stream of pseudo-random numbers: the same seed gives the same stream on every machine. */
export interface Random {
  /** uniform is in (0, 1), both ends left out. */
  uniform(): number;
  /** normal has mean 0 and deviation 1. */
  normal(): number;
}

/**
 * seededRandom makes a Random from an integer. Sources: the xorshift32 generator (G. Marsaglia, "Xorshift RNGs", Journal
 * of Statistical Software 8(14), 2003) and the Box-Muller transform.
 */
export function seededRandom(seed: number): Random {
  // An odd multiplier spreads neighbouring seeds; xorshift must not start at 0.
  let state = Math.imul(seed | 0, 0x9e3779b1) || 0x9e3779b1;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

/** shuffled is a copy of the items in random order (Fisher-Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random.uniform() * (last + 1));
    [copy[last], copy[other]] = [copy[other], copy[last]];
  }
  return copy;
}
