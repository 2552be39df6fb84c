import type { StoreFault } from '../store-fault.js';
import type { DeadLetterReason } from './decide-drain.js';

/**
 * SpoolReport is something that a person may want to know. An episode begins with the first batch that goes to the spool
 * (or that lay there at the start) and ends with `back`; each kind of fault is told once in it.
 */
export type SpoolReport =
  | { readonly kind: 'away'; readonly fault: StoreFault }
  | { readonly kind: 'back'; readonly drainedPoints: number; readonly awayMs: number }
  | {
      readonly kind: 'dead_letters';
      readonly lines: number;
      readonly reason: DeadLetterReason;
      readonly message: string;
      /** How many of them are in no file, and why not those that came first; 0 and null when all are. */
      readonly forgottenLines: number;
      readonly error: unknown;
    }
  | { readonly kind: 'torn'; readonly segment: number; readonly frames: number }
  | { readonly kind: 'disk_fault'; readonly error: unknown };
