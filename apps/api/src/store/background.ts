import { TendedWork, type Work, type WorkNote } from './tended-work.js';

/** While messages never cease, background work may take this many times the time that they take. */
const SHARE = 2;
/** The same, when one of the works is behind: this is the store's backpressure. */
const SHARE_BEHIND = 8;
const SLICE_MS = 3;
const MAX_CREDIT_MS = 50;
const MAX_CREDIT_BEHIND_MS = 500;
/** While messages come and no work is pressed, they have the thread for so long after a slice. */
const REST_MS = 5;

/**
 * Background runs those of several works that are due, in turns, a slice at a time, between messages. It keeps at most
 * one timer, and none when nothing is to do. A work that throws (disk full, say) is told of and left alone for 5 s.
 *
 * The event loop hands out waiting messages up to a thousand at once, before any immediate: so that a steady flood of
 * them does not starve the works, each message earns credit, for which a slice runs right behind its answer. While there
 * is time, slices rest in between instead: else every message that comes while a work is due would wait for one.
 */
export class Background {
  private immediate: NodeJS.Immediate | null = null;
  private timer: NodeJS.Timeout | null = null;
  private timerAt = Infinity;
  private turn = 0;
  private creditMs = 0;
  private hadMessage = false;
  private restsUntilMs = -Infinity;
  private isBehind = false;
  private isClosed = false;
  private readonly works: readonly TendedWork[];

  constructor(works: readonly Work[], tell: (note: WorkNote) => void) {
    this.works = works.map((work) => new TendedWork(work, tell));
  }

  /** nudge looks again what is due: to be called when there may be more to do, with the time that the message took. */
  nudge(messageMs = 0): void {
    if (this.isClosed) return;
    this.hadMessage ||= messageMs > 0;
    this.isBehind = this.works.some((work) => work.isBehind);
    const [share, most] = this.isBehind ? [SHARE_BEHIND, MAX_CREDIT_BEHIND_MS] : [SHARE, MAX_CREDIT_MS];
    this.creditMs = Math.min(this.creditMs + share * messageMs, most);
    if (this.immediate) {
      if (this.creditMs >= SLICE_MS) this.runNow();
      return;
    }
    const rest = this.works.some((work) => work.isPressed) ? 0 : this.restsUntilMs - performance.now();
    const due = Math.max(rest, Math.min(...this.works.map((work) => work.dueInMs())));
    if (due <= 0) this.immediate = setImmediate(() => this.run());
    else {
      // Nothing is starved: what comes due later begins with no more than its turn.
      this.creditMs = 0;
      if (Number.isFinite(due)) this.wait(due);
    }
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
    const endedAt = performance.now();
    this.creditMs = Math.max(0, this.creditMs - (endedAt - beganAt));
    this.restsUntilMs = this.hadMessage ? endedAt + REST_MS : -Infinity;
    this.hadMessage = false;
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
