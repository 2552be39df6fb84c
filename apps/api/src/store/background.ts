/** Work is something that is done in slices while nothing better is to do. */
export interface Work {
  /** dueInMs is 0 when a slice should run now, more when later, Infinity when there is nothing to do. */
  dueInMs(): number;
  /** slice does a bounded piece, some 10 ms at most: commits wait behind it. */
  slice(): void;
}

const PAUSE_AFTER_ERROR_MS = 5_000;

/**
 * Background runs the first of several works that is due, a slice at a time, and lets messages in between. It keeps at
 * most one timer, and none when nothing is to do. A work that throws (disk full, say) is left alone for 5 s.
 */
export class Background {
  private immediate: NodeJS.Immediate | null = null;
  private timer: NodeJS.Timeout | null = null;
  private timerAt = Infinity;
  private pausedUntil = 0;
  private isClosed = false;

  constructor(private readonly works: readonly Work[]) {}

  /** nudge looks again what is due: to be called when there may be more to do than before. */
  nudge(): void {
    if (this.isClosed || this.immediate) return;
    const pause = Math.max(0, this.pausedUntil - performance.now());
    const due = Math.max(pause, Math.min(...this.works.map((work) => work.dueInMs())));
    if (due <= 0) this.immediate = setImmediate(() => this.run());
    else if (Number.isFinite(due)) this.wait(due);
  }

  close(): void {
    this.isClosed = true;
    if (this.immediate) clearImmediate(this.immediate);
    if (this.timer) clearTimeout(this.timer);
  }

  private wait(ms: number): void {
    const at = performance.now() + ms;
    if (this.timer && this.timerAt <= at) return;
    if (this.timer) clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.nudge();
    }, Math.ceil(ms));
  }

  private run(): void {
    this.immediate = null;
    const work = this.works.find((one) => one.dueInMs() <= 0);
    try {
      work?.slice();
    } catch {
      // The same fault shows in the commits, where it is reported; what is not folded or merged stays where it is.
      this.pausedUntil = performance.now() + PAUSE_AFTER_ERROR_MS;
    }
    this.nudge();
  }
}
