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
  private turn: Promise<void> = Promise.resolve();
  private turns = 0;

  constructor(
    private readonly book: AlertBook,
    private readonly log: Logger,
    private readonly sharing: Sharing | null = null,
  ) {}

  /** start begins to sweep. */
  start(): void {
    this.timer = setInterval(() => {
      if (this.book.size === 0 && this.sharing === null) return;
      this.turn = this.turn.then(() => this.sweep());
    }, SWEEP_EVERY_MS);
    this.timer.unref();
  }

  /** close ends sweeping and saves the counts. */
  async close(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.turn;
    await this.book.saveCounts();
  }

  private async sweep(): Promise<void> {
    try {
      if (this.sharing) await this.book.follow(); // before the sweep: it hears of breaches elsewhere
      if (this.sharing?.isSweeper() ?? true) await this.book.sweep();
      if (++this.turns % SAVE_EVERY_TURNS === 0) await this.book.saveCounts();
    } catch (error) {
      this.log.error({ err: error }, 'alerts could not be swept; the next sweep tries again');
    }
  }
}
