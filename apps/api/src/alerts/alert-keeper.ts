import { FaultEpisode } from '@tidemark/program';
import type { Logger } from 'pino';
import type { AlertBook } from './alert-book.js';

/** SWEEP_EVERY_MS is how often firing alerts are looked at. */
const SWEEP_EVERY_MS = 1000;
/** SAVE_EVERY_TURNS is after how many looks the counts are saved. */
const SAVE_EVERY_TURNS = 5;

/** Sharing is how the keeper shares the work with those of other instances on the same database. */
export interface Sharing {
  /** isSweeper tells whether this instance may resolve and remind at this moment; one at a time may. */
  readonly isSweeper: () => boolean;
}

/**
 * AlertKeeper sweeps the book while alerts fire; with none firing it costs one comparison a second. Of several instances
 * each follows what the others do, and one sweeps.
 */
export class AlertKeeper {
  private timer: NodeJS.Timeout | null = null;
  /** The turn that runs; none begins before it is over, so that a slow database has no heap of them to work off. */
  private turn: Promise<void> | null = null;
  private turns = 0;
  private readonly sweeping: FaultEpisode;
  private readonly saving: FaultEpisode;

  constructor(
    private readonly book: AlertBook,
    private readonly log: Logger,
    private readonly sharing: Sharing | null = null,
  ) {
    this.sweeping = new FaultEpisode(log, {
      began: 'alerts could not be swept; each sweep tries again',
      ended: 'alerts are swept again',
    });
    this.saving = new FaultEpisode(log, {
      began: 'counts of alerts could not be saved; they are kept and saved later',
      ended: 'counts of alerts are saved again',
    });
  }

  /** start begins to sweep. */
  start(): void {
    this.timer = setInterval(() => {
      if (this.turn || (this.book.size === 0 && this.sharing === null)) return;
      this.turn = this.look().finally(() => (this.turn = null));
    }, SWEEP_EVERY_MS);
    this.timer.unref();
  }

  /** close ends sweeping and saves the counts. What cannot be saved then is lost and told; it keeps no process from ending in order. */
  async close(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.turn;
    try {
      await this.book.saveCounts();
    } catch (error) {
      this.log.warn(
        { err: error },
        'counts of alerts could not be saved at the end; those of the last seconds are lost',
      );
    }
  }

  /** The counts are saved whatever became of the sweep: one alert that cannot be moved on is no reason to lose them. */
  private async look(): Promise<void> {
    await attempt(() => this.sweep(), this.sweeping);
    if (++this.turns % SAVE_EVERY_TURNS !== 0) return;
    await attempt(() => this.book.saveCounts(), this.saving);
  }

  /** What others did is heard before the sweep: a breach elsewhere keeps an alert from ending here. */
  private async sweep(): Promise<void> {
    if (this.sharing) await this.book.follow();
    if (this.sharing?.isSweeper() ?? true) await this.book.sweep();
  }
}

async function attempt(work: () => Promise<void>, episode: FaultEpisode): Promise<void> {
  try {
    await work();
    episode.worked();
  } catch (error) {
    episode.failed(error);
  }
}
