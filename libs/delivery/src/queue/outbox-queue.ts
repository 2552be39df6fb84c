import { setMaxListeners } from 'node:events';
import type { Delivery } from '@tidemark/state';
import { Carrier, type CarrierOptions } from './carrier.js';
import { ClockWatch } from './clock-watch.js';
import type { DeliveryQueue, QueueStats } from './delivery-queue.js';
import { Lanes } from './lanes.js';

/** OutboxQueueOptions are what an OutboxQueue works with. */
export interface OutboxQueueOptions extends CarrierOptions {
  /** Deliveries under way for each channel, default 4. */
  readonly laneWidth?: number;
}

/** How long the queue sleeps at most; it is woken for what is committed, so this only bounds what a lost wake can cost. */
const LONGEST_SLEEP_MS = 30_000;

/** What is released at once: few enough that a full channel refuses few of them. */
const RELEASES_A_ROUND = 16;

/**
 * OutboxQueue consumes the outbox table in the process that fills it. There is one for each state database. The rows
 * are the queue: nothing is held in memory but what is being sent, or waits for a place under its channel's limit.
 */
export class OutboxQueue implements DeliveryQueue {
  private readonly lanes: Lanes;
  private readonly clock: ClockWatch;
  private readonly sending = new Set<Promise<void>>();
  private readonly postponed = new Set<() => void>();
  private readonly abort = new AbortController();
  private readonly carrier: Carrier;
  private state: 'new' | 'working' | 'stopping' = 'new';
  /** Set while a round of claims runs, and by a wake that comes meanwhile. */
  private claiming: Promise<void> | undefined;
  private woken = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: OutboxQueueOptions) {
    this.lanes = new Lanes(options.laneWidth ?? 4);
    this.clock = new ClockWatch(options.wallMs, options.steadyMs);
    this.carrier = new Carrier(options, { signal: this.abort.signal, pause: (ms) => this.pause(ms) });
  }

  async start(): Promise<void> {
    setMaxListeners(0, this.abort.signal); // One for each delivery under way, which the lanes bound.
    await this.options.outbox.releaseSending(this.options.wallMs());
    this.state = 'working';
    this.wake();
  }

  wake(): void {
    if (this.state !== 'working') return;
    this.woken = true;
    if (this.claiming !== undefined) return;
    clearTimeout(this.timer);
    this.claiming = this.claimRounds().then((sleepMs) => {
      this.claiming = undefined;
      if (this.woken) this.wake();
      else this.sleep(sleepMs);
    });
  }

  async stop(deadlineMs: number): Promise<{ readonly aborted: number }> {
    const wasWorking = this.state === 'working';
    this.state = 'stopping';
    clearTimeout(this.timer);
    await this.claiming;
    for (const cancel of this.postponed) cancel();
    const late = setTimeout(() => this.abort.abort(new Error('the queue is stopped')), deadlineMs);
    const aborted = { count: 0 };
    this.abort.signal.addEventListener('abort', () => (aborted.count = this.sending.size), { once: true });
    await Promise.all(this.sending);
    clearTimeout(late);
    if (wasWorking) await this.options.outbox.releaseSending(this.options.wallMs());
    return { aborted: aborted.count };
  }

  stats(): QueueStats {
    return { sending: this.sending.size - this.postponed.size, postponed: this.postponed.size };
  }

  /** Claims until nothing is due, and answers how long to sleep. A round is as wide as a lane, so that none overflows. */
  private async claimRounds(): Promise<number> {
    const { outbox, wallMs, faultDelayMs = 1000 } = this.options;
    try {
      while (this.state === 'working') {
        this.woken = false;
        await this.followClock();
        const claimed = await outbox.claimDue(wallMs(), this.lanes.width, this.lanes.full());
        for (const delivery of claimed) this.carry(delivery);
        if (claimed.length > 0 || this.woken) continue;
        // Only where nothing is due that was never held back: a window that ended can wait for that, news cannot. Both
        // are asked for at once, since news that comes meanwhile waits for the answers.
        const [releaseMs, dueMs] = await Promise.all([outbox.nextReleaseMs(), outbox.nextDueMs(this.lanes.full())]);
        if (releaseMs !== null && releaseMs <= wallMs() && (await outbox.releaseDue(wallMs(), RELEASES_A_ROUND)) > 0)
          continue;
        return Math.max(0, Math.min(dueMs ?? Infinity, releaseMs ?? Infinity, wallMs() + LONGEST_SLEEP_MS) - wallMs());
      }
      return 0;
    } catch (error) {
      this.options.report({ kind: 'fault', during: 'claim', error });
      this.woken = false;
      return faultDelayMs;
    }
  }

  /** Due times are wall clock times: set back, it would leave them all waiting for so much longer. */
  private async followClock(): Promise<void> {
    const backMs = this.clock.setBackMs();
    if (backMs === 0) return;
    await this.options.outbox.shiftDue(-backMs);
    this.options.report({ kind: 'clock_set_back', byMs: backMs });
  }

  private sleep(ms: number): void {
    if (this.state !== 'working') return;
    // Rounded up: a timer that fires a fraction of a millisecond early would find nothing due and spin.
    this.timer = setTimeout(() => this.wake(), Math.min(Math.ceil(ms) + 1, LONGEST_SLEEP_MS));
    this.timer.unref();
  }

  private carry(delivery: Delivery): void {
    this.lanes.enter(delivery.channelId);
    const carrying = this.tryUntilRecorded(delivery)
      .catch((error: unknown) => this.options.report({ kind: 'fault', during: 'write', error }))
      .then(() => {
        this.sending.delete(carrying);
        this.lanes.leave(delivery.channelId);
        this.wake();
      });
    this.sending.add(carrying);
  }

  private async tryUntilRecorded(delivery: Delivery): Promise<void> {
    for (;;) {
      const { outcome, durationMs } = await this.carrier.attempt(delivery);
      // What was aborted stays claimed until stop gives it back: it was no try, and nobody knows whether it arrived.
      if (this.abort.signal.aborted && outcome.kind === 'retry') return;
      if (outcome.kind !== 'postponed') return this.carrier.settle(delivery, outcome, { durationMs });
      this.options.report({ kind: 'outcome', delivery, outcome, status: 'postponed', durationMs });
      if (!(await this.pause(outcome.afterMs))) return this.giveBack(delivery);
    }
  }

  /** What waited for a place was not sent. What stop finds claimed, without this, counts as perhaps sent and keeps a place. */
  private async giveBack({ id }: Delivery): Promise<void> {
    const nowMs = this.options.wallMs();
    await this.options.outbox.release(id, { dueMs: nowMs, atMs: nowMs });
  }

  /** Waits, and answers whether the queue is still working. */
  private pause(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.postponed.delete(end);
        resolve(this.state === 'working');
      };
      const timer = setTimeout(end, Math.ceil(ms));
      this.postponed.add(end);
      if (this.state !== 'working') end();
    });
  }
}
