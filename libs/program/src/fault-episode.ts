import type { Logger } from 'pino';

/** EpisodeWords are what is logged where faults of one piece of work begin, and where it works again. */
export interface EpisodeWords {
  readonly began: string;
  readonly ended: string;
}

/** FaultEpisode logs a fault that comes again and again once, and once that it is over: a log is no place for a clock. */
export class FaultEpisode {
  private failures = 0;

  constructor(
    private readonly log: Logger,
    private readonly words: EpisodeWords,
  ) {}

  /** failed notes a fault; the first of an episode is logged. */
  failed(error: unknown, detail: Readonly<Record<string, unknown>> = {}): void {
    this.failures += 1;
    if (this.failures === 1) this.log.warn({ ...detail, err: error }, this.words.began);
  }

  /** worked ends an episode, if there is one. */
  worked(detail: Readonly<Record<string, unknown>> = {}): void {
    if (this.failures === 0) return;
    this.log.info({ ...detail, failures: this.failures }, this.words.ended);
    this.failures = 0;
  }
}
