import type { Logger } from 'pino';
import type { AlertBook } from './alert-book.js';

/** SWEEP_EVERY_MS is how often firing alerts are looked at. */
const SWEEP_EVERY_MS = 1000;
/** SAVE_EVERY_TURNS is after how many looks the counts are saved. */
const SAVE_EVERY_TURNS = 5;

/** AlertKeeper sweeps the book while alerts fire; with none firing it costs one comparison a second. */
export class AlertKeeper {
  private timer: NodeJS.Timeout | null = null;
  private turn: Promise<void> = Promise.resolve();
  private turns = 0;

  constructor(
    private readonly book: AlertBook,
    private readonly log: Logger,
  ) {}

  /** start begins to sweep. */
  start(): void {
    this.timer = setInterval(() => {
      if (this.book.size === 0) return;
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
      await this.book.sweep();
      if (++this.turns % SAVE_EVERY_TURNS === 0) await this.book.saveCounts();
    } catch (error) {
      this.log.error({ err: error }, 'alerts could not be swept; the next sweep tries again');
    }
  }
}
