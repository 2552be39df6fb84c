import type { Logger } from 'pino';
import type { AlertBook } from './alert-book.js';

/** SWEEP_EVERY_MS is how often firing alerts are looked at. */
const SWEEP_EVERY_MS = 1000;
/** SAVE_EVERY_TURNS is after how many looks the counts are saved. */
const SAVE_EVERY_TURNS = 5;

/** AlertKeeper sweeps the book while alerts fire; with none firing it costs one comparison a second. */
export class AlertKeeper {
  private timer: NodeJS.Timeout | null = null;
  /** The turn that runs; none begins before it is over, so that a slow database has no heap of them to work off. */
  private turn: Promise<void> | null = null;
  private turns = 0;

  constructor(
    private readonly book: AlertBook,
    private readonly log: Logger,
  ) {}

  /** start begins to sweep. */
  start(): void {
    this.timer = setInterval(() => {
      if (this.turn || this.book.size === 0) return;
      this.turn = this.look().finally(() => (this.turn = null));
    }, SWEEP_EVERY_MS);
    this.timer.unref();
  }

  /** close ends sweeping and saves the counts. */
  async close(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.turn;
    await this.book.saveCounts();
  }

  /** The counts are saved whatever became of the sweep: one alert that cannot be moved on is no reason to lose them. */
  private async look(): Promise<void> {
    await this.attempt(() => this.book.sweep(), 'alerts could not be swept; the next sweep tries again');
    if (++this.turns % SAVE_EVERY_TURNS !== 0) return;
    await this.attempt(
      () => this.book.saveCounts(),
      'counts of alerts could not be saved; they are kept and saved later',
    );
  }

  private async attempt(work: () => Promise<void>, failure: string): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.log.error({ err: error }, failure);
    }
  }
}
