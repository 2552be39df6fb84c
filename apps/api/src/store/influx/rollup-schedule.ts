import type { RollupKeeper } from './rollup-keeper.js';
import type { Unflushed } from './unflushed.js';

/** After a failure the next attempt waits so long, whatever is written meanwhile. */
const RETRY_MS = 1000;

/** What is not counted when the process ends is counted by the slot's next holder, from the receipts. */
const CLOSE_MS = 3000;

/** InfluxPace says how far rollups may fall behind: points beyond the mark are read one by one. */
export interface InfluxPace {
  /** Flush when so many points wait. */
  readonly flushPoints: number;
  /** Flush when so many requests wait: each has a receipt that readers read. */
  readonly flushRequests: number;
  /** Flush when the oldest of them waits so long, ms. */
  readonly flushMs: number;
  /** Sum rows by the minute up by the hour after so many flushes, if an hour has not passed before. */
  readonly compactFlushes: number;
  /** The least time from a failure to the next attempt, ms; a second when absent. */
  readonly retryMs?: number;
}

/** DEFAULT_INFLUX_PACE makes about one row a minute for each series and metric's bucket at a usual load. */
export const DEFAULT_INFLUX_PACE: InfluxPace = {
  flushPoints: 100_000,
  flushRequests: 2000,
  flushMs: 60_000,
  compactFlushes: 120,
};

/** ScheduleOptions say when a RollupSchedule works, and who is told how that ended, each time. */
export interface ScheduleOptions {
  readonly pace: InfluxPace;
  readonly onFault: (error: unknown) => void;
  readonly onWorked?: () => void;
}

/** RollupSchedule decides when a RollupKeeper works: one task at a time, by timers that do not keep a process alive. */
export class RollupSchedule {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;
  private isClosed = false;
  private hasFailed = false;

  constructor(
    private readonly keeper: RollupKeeper,
    private readonly unflushed: Unflushed,
    private readonly options: ScheduleOptions,
  ) {}

  /** wrote is called after each request. */
  wrote(): void {
    if (this.isClosed || this.running) return;
    if (this.isDue() && !this.hasFailed) this.run();
    else this.wait(this.options.pace.flushMs);
  }

  /** settled resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.running;
  }

  /** close counts what is left, if that takes no more than some seconds: giveUp must end what is under way then. */
  async close(giveUp: () => void): Promise<void> {
    this.isClosed = true;
    if (this.timer) clearTimeout(this.timer);
    const deadline = setTimeout(giveUp, CLOSE_MS);
    try {
      await this.running;
      await this.keeper.flush();
      await this.keeper.close();
    } catch (error) {
      this.options.onFault(error);
    } finally {
      clearTimeout(deadline);
    }
  }

  private isDue(): boolean {
    const { points, requests } = this.unflushed.load;
    return points >= this.options.pace.flushPoints || requests >= this.options.pace.flushRequests;
  }

  private wait(ms: number): void {
    if (this.timer !== null || this.isClosed) return;
    this.timer = setTimeout(() => this.run(), ms).unref();
  }

  private run(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (this.running || this.isClosed) return;
    this.running = this.work().then((isDone) => {
      this.running = null;
      this.hasFailed = !isDone;
      if (isDone && this.unflushed.isEmpty) return;
      const leastMs = isDone ? 0 : (this.options.pace.retryMs ?? RETRY_MS);
      this.wait(this.isDue() ? leastMs : Math.max(leastMs, this.options.pace.flushMs));
    });
  }

  private async work(): Promise<boolean> {
    try {
      await this.keeper.flush();
      await this.keeper.compact();
      this.options.onWorked?.();
      return true;
    } catch (error) {
      this.options.onFault(error);
      return false;
    }
  }
}
