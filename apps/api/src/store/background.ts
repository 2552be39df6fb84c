import { TendedWork, type Work, type WorkNote } from './tended-work.js';

/** While messages never cease, background work may take this many times the time that they take. */
const SHARE = 2;
/** The same, when one of the works is behind: this is the store's backpressure. */
const SHARE_BEHIND = 8;
const SLICE_MS = 3;
const MAX_CREDIT_MS = 50;
const MAX_CREDIT_BEHIND_MS = 500;

/**
 * Background runs those of several works that are due, in turns, a slice at a time, between messages. It keeps at most
 * one timer, and none when nothing is to do. A work that throws (disk full, say) is told of and left alone for 5 s.
 *
 * The event loop hands out waiting messages up to a thousand at once, before any immediate: so that a steady flood of
 * them does not starve the works, each message earns credit, for which a slice runs right behind its answer.
 */
export class Background {
  private immediate: NodeJS.Immediate | null = null;
  private timer: NodeJS.Timeout | null = null;
  private timerAt = Infinity;
  private turn = 0;
  private creditMs = 0;
  private isBehind = false;
  private isClosed = false;
  private readonly works: readonly TendedWork[];

  constructor(works: readonly Work[], tell: (note: WorkNote) => void) {
    this.works = works.map((work) => new TendedWork(work, tell));
  }

  /** nudge looks again what is due: to be called when there may be more to do, with the time that the message took. */
  nudge(messageMs = 0): void {
    if (this.isClosed) return;
    this.isBehind = this.works.some((work) => work.isBehind);
    const [share, most] = this.isBehind ? [SHARE_BEHIND, MAX_CREDIT_BEHIND_MS] : [SHARE, MAX_CREDIT_MS];
    this.creditMs = Math.min(this.creditMs + share * messageMs, most);
    if (this.immediate) {
      if (this.creditMs >= SLICE_MS) this.runNow();
      return;
    }
    const due = Math.min(...this.works.map((work) => work.dueInMs()));
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
    if (this.isClosed) return;
    const beganAt = performance.now();
    const inTurn = [...this.works.slice(this.turn), ...this.works.slice(0, this.turn)];
    const work = inTurn.find((one) => one.dueInMs() <= 0);
    if (work) this.turn = this.works.indexOf(work) + 1;
    work?.slice();
    this.creditMs = Math.max(0, this.creditMs - (performance.now() - beganAt));
    this.nudge();
    // Behind, the whole credit is spent before the next message is looked at.
    if (this.isBehind && this.immediate && this.creditMs >= SLICE_MS) this.runNow();
  }

  /** runNow runs a slice behind the answer of the message at hand and before the next message. */
  private runNow(): void {
    if (this.immediate) clearImmediate(this.immediate);
    this.immediate = null;
    queueMicrotask(() => this.run());
  }
}
