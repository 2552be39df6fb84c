import type { Program } from '@tidemark/servers';
import type { Bench } from './bench.js';

/** Target is what a figure has to reach, in its own unit. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** Reading is one figure as it was measured. */
export interface Reading {
  /** id is stable from run to run, such as `ingest.batch_1000.points_per_s`. */
  readonly id: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: Target;
  /** detail is what else there is to say about it, for the file of results. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Figure is one thing that the bench can measure, with several readings. */
export interface Figure {
  /** name is how it is asked for on the command line. */
  readonly name: string;
  readonly title: string;
  /** needs are the servers that must be installed for it; it is left out where one is missing, and that is said. */
  readonly needs?: readonly Program[];
  readonly measure: (bench: Bench) => Promise<Reading[]>;
}

/** Verdict compares a reading with its target: `ratio` is value / target, null for a target of 0. */
export interface Verdict {
  readonly ratio: number | null;
  readonly isMet: boolean;
}

/** verdictOf is null for a reading without a target. */
export function verdictOf({ value, target }: Reading): Verdict | null {
  if (!target) return null;
  const [limit, isMet] =
    'atLeast' in target ? [target.atLeast, value >= target.atLeast] : [target.atMost, value <= target.atMost];
  return { ratio: limit === 0 ? null : value / limit, isMet };
}
