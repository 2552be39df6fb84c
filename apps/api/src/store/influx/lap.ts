/**
 * LAP is how many points of one series, ms and writer are told apart: a timestamp is ms and, in ns, seq modulo this. Within one
 * lap, from a multiple of it to the next, rows of a ms are in the order of their seq; over laps and writers they are not.
 */
export const LAP = 1_000_000;

/** SeqRange is from <= seq < below, either of which may be infinite. */
export interface SeqRange {
  readonly from: number;
  readonly below: number;
}

/** lapStart is the first seq of the lap that holds one. */
export function lapStart(seq: number): number {
  return Math.floor(seq / LAP) * LAP;
}
