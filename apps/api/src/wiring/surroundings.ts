import type { Clock, Closer } from '@tidemark/program';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import type { Telemetry } from '../platform/telemetry.js';

/** Surroundings are what the platform is opened in. */
export interface Surroundings {
  readonly config: Config;
  readonly version: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** fatal is told when a thread that holds data died: the process cannot go on. */
  readonly fatal: (error: Error) => void;
}

/** Opening is what every step is opened in; `closeLast` is told how to close what was opened, in that order. */
export interface Opening extends Surroundings {
  readonly telemetry: Telemetry;
  readonly closeLast: (closer: Closer) => void;
}
