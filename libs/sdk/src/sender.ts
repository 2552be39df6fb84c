import { readAnswer } from './answer.js';
import type { Answer, Reply } from './answer.js';
import { backoffMs } from './backoff.js';
import type { Batch } from './batch.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { Clock } from './clock.js';
import type { Drain, DrainOutcome } from './drain.js';
import { unwatchExit, watchExit } from './exit-hook.js';
import type { Leaver } from './exit-hook.js';
import { ExitWindow } from './exit-window.js';
import type { ResolvedOptions } from './options.js';
import type { Outbox } from './outbox.js';
import type { Point, PointKind } from './point.js';
import type { Reporter } from './reporter.js';
import type { Ledger, Stats } from './stats.js';
import type { Transport } from './transport.js';

/** SenderParts is what a sender works with. */
export interface SenderParts {
  readonly options: ResolvedOptions;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  readonly outbox: Outbox;
  readonly transport: Transport;
}

/** Push is how much of the waiting the next try may skip: none, the backoff, or the open breaker too. */
export type Push = 'none' | 'backoff' | 'breaker';

/** KEEPALIVE_BYTES is what browsers let outlive a page in all (64 KiB, Fetch standard), less some for the headers. */
const KEEPALIVE_BYTES = 60_000;

/**
 * Sender decides when the outbox is emptied: one request at a time, again after a growing wait when it fails, and never
 * on the host's time, which only puts points aside.
 */
export class Sender implements Leaver {
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #reporter: Reporter;
  readonly #outbox: Outbox;
  readonly #transport: Transport;
  readonly #breaker: CircuitBreaker;
  readonly #exitWindow: ExitWindow;
  readonly #drains = new Set<Drain>();
  #flying = false;
  #over = false;
  #cancelTimer: (() => void) | undefined;
  /** dueAt is when the timer goes off; Infinity without one. */
  #dueAt = Infinity;
  #keepsAlive = false;
  #failures = 0;
  #backoffUntil = 0;
  /** serverUntil is what a Retry-After asked for; nothing skips it. */
  #serverUntil = 0;
  #triedAt = -Infinity;
  #push: Push = 'none';
  #leavingBytes = 0;

  constructor({ options, ledger, reporter, outbox, transport }: SenderParts) {
    this.#options = options;
    this.#clock = options.clock;
    this.#ledger = ledger;
    this.#reporter = reporter;
    this.#outbox = outbox;
    this.#transport = transport;
    this.#breaker = new CircuitBreaker({
      failures: options.breakerFailures,
      openMs: options.breakerOpenMs,
      maxOpenMs: options.breakerMaxOpenMs,
    });
    this.#exitWindow = new ExitWindow(options.exitTimeoutMs);
  }

  /** offer takes a point on the host's time: it is put aside, and a timer set where none runs. */
  offer(kind: PointKind, point: Point): void {
    if (this.#over) this.#outbox.drop(kind, 'closed', 1);
    else if (this.#outbox.put(kind, point) || this.#dueAt === Infinity) this.#arm();
  }

  /** figures answers what only the sender and its outbox know of the stats. */
  figures(): Pick<Stats, 'buffered' | 'inFlight' | 'breaker'> {
    return { ...this.#outbox.figures(), breaker: this.#breaker.state(this.#clock.elapsed()) };
  }

  /** drain sends all there is, and answers when it has its final answers or `timeoutMs` have passed. */
  drain(timeoutMs: number, push: Push): Promise<DrainOutcome> {
    const marks = this.#outbox.marks();
    if (this.#outbox.reached(marks)) return Promise.resolve({ outcome: 'drained' });
    return new Promise((resolve) => {
      const now = this.#clock.elapsed();
      const end = (outcome: DrainOutcome): void => {
        cancelTimer();
        this.#drains.delete(drain);
        resolve(outcome);
      };
      const drain: Drain = { marks, deadline: now + timeoutMs, end };
      // Kept alive: someone awaits this, and a process that ended meanwhile would leave them without an answer.
      const cancelTimer = this.#clock.after(timeoutMs, () => end(this.#pending('timeout')), true);
      this.#drains.add(drain);
      // A host that flushes in a loop does not get to hammer a server that is down.
      if (push === 'breaker' || now - this.#triedAt >= this.#options.retryBaseMs) this.#push = push;
      this.#arm();
      this.#endDrains();
    });
  }

  /** stop gives up all that is left; nothing is taken or sent after. */
  stop(reason: 'closed' | 'exit'): void {
    this.#over = true;
    this.#disarm();
    this.#outbox.dropAll(reason);
    this.#transport.abort();
    this.#endDrains();
    unwatchExit(this);
  }

  beforeExit(): void {
    const turn = this.#exitWindow.turn(this.#clock.elapsed());
    if (turn === 'over') return;
    if (turn === 'first') this.#push = 'breaker';
    this.#arm();
  }

  exit(): void {
    this.stop('exit');
    this.#reporter.deliver();
  }

  pageLeave(): void {
    if (this.#clock.elapsed() < this.#serverUntil) return;
    for (const batch of this.#outbox.waiting()) this.#sendLeaving(batch);
    for (;;) {
      const batch = this.#outbox.sealOne(KEEPALIVE_BYTES - this.#leavingBytes);
      if (batch === undefined || !this.#sendLeaving(batch)) return;
    }
  }

  /** isUrgent tells whether to try as soon as it is allowed, rather than to wait for more points. */
  #isUrgent(now: number): boolean {
    if (this.#drains.size > 0 || this.#exitWindow.isOpen(now)) return true;
    return this.#outbox.hasBatch() || this.#outbox.hasFullBatch();
  }

  #allowedFrom(): number {
    if (this.#push === 'breaker') return this.#serverUntil;
    const allowed = Math.max(this.#serverUntil, this.#breaker.openUntil);
    return this.#push === 'backoff' ? allowed : Math.max(allowed, this.#backoffUntil);
  }

  /** arm sets the timer for the next try, or moves it forward. */
  #arm(): void {
    if (this.#flying || this.#over) return;
    if (!this.#outbox.hasWork()) {
      this.#disarm();
      unwatchExit(this);
      return;
    }
    watchExit(this);
    const now = this.#clock.elapsed();
    const wanted = this.#isUrgent(now) ? now : now + this.#options.flushIntervalMs;
    const dueAt = Math.max(wanted, this.#allowedFrom());
    const keepAlive = this.#exitWindow.waitsFor(dueAt, now);
    if (this.#dueAt <= dueAt && this.#keepsAlive === keepAlive) return;
    this.#disarm();
    this.#dueAt = dueAt;
    this.#keepsAlive = keepAlive;
    this.#cancelTimer = this.#clock.after(Math.ceil(dueAt - now), () => void this.#run(), keepAlive);
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#dueAt = Infinity;
  }

  /** run sends batch after batch while there is reason to, then sets the next timer. */
  async #run(): Promise<void> {
    this.#disarm();
    if (this.#flying) return;
    this.#flying = true;
    try {
      while (this.#clock.elapsed() >= this.#allowedFrom()) {
        const batch = this.#outbox.next(this.#clock.elapsed());
        if (batch === undefined || !(await this.#try(batch))) break;
        this.#endDrains();
        if (!this.#isUrgent(this.#clock.elapsed())) break;
      }
    } catch (fault) {
      // No step above is expected to throw; the points are still in the outbox, so this is one more failed try.
      this.#note('internal', fault instanceof Error ? fault.message : 'unknown');
      this.#backoffUntil = this.#clock.elapsed() + this.#options.retryMaxMs;
    }
    this.#flying = false;
    this.#arm();
    this.#endDrains();
  }

  /** try carries `batch` once, and answers whether the server may be sent more at once. */
  async #try(batch: Batch): Promise<boolean> {
    const now = this.#clock.elapsed();
    this.#push = 'none';
    this.#triedAt = now;
    this.#begin(batch, now);
    const leftMs = this.#exitWindow.isOpen(now) ? this.#exitWindow.until - now : Infinity;
    const reply = await this.#transport.send(batch, Math.ceil(Math.min(this.#options.requestTimeoutMs, leftMs)));
    return this.#settle(batch, reply);
  }

  #begin(batch: Batch, now: number): void {
    this.#ledger.requests++;
    if (batch.tries > 0) this.#ledger.retries++;
    batch.tries++;
    batch.triedAt ??= now;
  }

  #settle(batch: Batch, reply: Reply): boolean {
    if (!this.#outbox.holds(batch)) return true;
    const answer = readAnswer(reply, {
      itemCount: batch.items.length,
      holdStatuses: this.#options.holdStatuses,
      nowMs: this.#clock.now(),
    });
    if (answer.kind === 'retry' || answer.kind === 'held') {
      this.#postpone(answer);
      return false;
    }
    this.#outbox.settle(batch, answer);
    this.#failures = 0;
    this.#backoffUntil = 0;
    this.#serverUntil = 0;
    this.#breaker.succeed();
    this.#reporter.over('outage');
    return true;
  }

  #postpone(answer: Extract<Answer, { kind: 'retry' | 'held' }>): void {
    const now = this.#clock.elapsed();
    const { retryBaseMs, retryMaxMs, maxRetryAfterMs, random } = this.#options;
    this.#failures++;
    this.#backoffUntil = now + backoffMs(this.#failures, { baseMs: retryBaseMs, maxMs: retryMaxMs }, random);
    this.#note(answer.reason, answer.message);
    if (answer.kind === 'held') {
      this.#breaker.open(now);
      this.#reporter.warnOnce('outage', `points are kept but not taken: ${answer.reason}, ${answer.message}`);
      return;
    }
    if (answer.retryAfterMs !== undefined) {
      // Up to a tenth later than asked for, never earlier: everyone was told the same time.
      this.#serverUntil = now + Math.min(answer.retryAfterMs, maxRetryAfterMs) * (1 + random() / 10);
    }
    if (!answer.blame) return;
    this.#breaker.fail(now);
    this.#reporter.warnOnce('outage', `cannot deliver, will try again: ${answer.reason}, ${answer.message}`);
    if (answer.reason === 'network' || answer.reason === 'timeout') this.#exitWindow.giveUp();
  }

  #sendLeaving(batch: Batch): boolean {
    const bytes = batch.body.byteLength;
    if (batch.handedOver || this.#leavingBytes + bytes > KEEPALIVE_BYTES) return false;
    batch.handedOver = true;
    this.#leavingBytes += bytes;
    this.#begin(batch, this.#clock.elapsed());
    void this.#transport.sendLeaving(batch, this.#options.requestTimeoutMs).then((reply) => {
      batch.handedOver = false;
      this.#leavingBytes -= bytes;
      this.#settle(batch, reply);
      this.#arm();
      this.#endDrains();
    });
    return true;
  }

  #pending(reason: 'timeout' | 'unreachable'): DrainOutcome {
    const { buffered, inFlight } = this.#outbox.figures();
    return { outcome: 'pending', reason, remaining: buffered + inFlight };
  }

  /** endDrains answers those whose points are done, and those for whom no try is left within their time. */
  #endDrains(): void {
    for (const drain of [...this.#drains]) {
      const lateTry = !this.#flying && this.#outbox.hasWork() && this.#allowedFrom() > drain.deadline;
      if (this.#outbox.reached(drain.marks) && !this.#over) drain.end({ outcome: 'drained' });
      else if (lateTry || this.#over) drain.end(this.#pending('unreachable'));
    }
  }

  #note(reason: string, message: string): void {
    this.#ledger.lastFailure = { reason, message, at: this.#clock.now() };
  }
}
