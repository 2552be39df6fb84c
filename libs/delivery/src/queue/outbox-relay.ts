import type { RedisLink } from '@tidemark/redis';
import type { Claims, DueDelivery, Outbox } from '@tidemark/state';
import { DeliveryJobs, QUEUE_PREFIX } from './delivery-jobs.js';

/** OutboxRelayOptions are what an OutboxRelay works with. */
export interface OutboxRelayOptions {
  readonly claims: Pick<Claims, 'dueForRelay'>;
  /** Gives free again what the limits held back, when its window ended. */
  readonly outbox: Pick<Outbox, 'nextReleaseMs' | 'releaseDue'>;
  /** A producer's connection. */
  readonly link: RedisLink;
  readonly wallMs: () => number;
  readonly steadyMs: () => number;
  /** Told of a database or a queue that failed, once until it works again. */
  readonly onFault: (error: unknown) => void;
  /** Between two looks at the outbox when nobody wakes it, default 1000 ms. */
  readonly everyMs?: number;
  readonly prefix?: string;
}

/** Rows looked at in one round, and jobs added in one command. */
const ROUND = 5000;
const BULK = 500;
/** What was held back is released in rounds of this many, so that news comes between. */
const RELEASES_A_ROUND = 16;
/** A job that was added is added again after this long, in case Redis lost it; where it is still there nothing happens. */
const REPEAT_MS = 5000;
/** Every job that ends wakes; so often at most the outbox is looked at for it. */
const GAP_MS = 50;

/**
 * OutboxRelay makes a job of every delivery that is due and has none. It runs in every process, api or worker, and as
 * often as it likes: a job of the same id is the same job. While Redis is away the rows wait, and nothing else does.
 */
export class OutboxRelay {
  private readonly jobs: DeliveryJobs;
  /** What was added lately, by id: when, and for which due time, since a retry is due anew. */
  private added = new Map<string, { readonly dueMs: number; readonly atMs: number }>();
  private state: 'new' | 'working' | 'stopped' = 'new';
  private round: Promise<void> | undefined;
  /** From the begin of a round to the end of the rest after it. */
  private isBusy = false;
  private woken = false;
  private timer: NodeJS.Timeout | undefined;
  private hasFailed = false;

  constructor(private readonly options: OutboxRelayOptions) {
    this.jobs = new DeliveryJobs(options.link, options.prefix ?? QUEUE_PREFIX);
  }

  start(): void {
    this.state = 'working';
    this.wake();
  }

  /** wake says that deliveries were committed. Cheap, never throws, and may be called at any time. */
  wake(): void {
    if (this.state !== 'working') return;
    this.woken = true;
    // While a round runs or rests the next one hears of it; a wake that comes alone waits for nothing.
    if (this.isBusy) return;
    this.isBusy = true;
    clearTimeout(this.timer);
    this.round = this.run().then(() => this.after(GAP_MS, () => this.goOn()));
  }

  /** tellAgain says that the jobs of these have ended, though nothing came of them, and that new ones are wanted. */
  tellAgain(ids: readonly string[]): void {
    for (const id of ids) this.added.delete(id);
    if (ids.length > 0) this.wake();
  }

  async stop(): Promise<void> {
    this.state = 'stopped';
    clearTimeout(this.timer);
    await this.round;
    await this.jobs.close();
  }

  private async run(): Promise<void> {
    this.woken = false;
    if (!this.options.link.isUp) return;
    try {
      const { claims, wallMs } = this.options;
      const due = await claims.dueForRelay(wallMs(), { limit: ROUND, horizonMs: 1 });
      await this.add(due);
      await this.release();
      this.hasFailed = false;
    } catch (error) {
      // A Redis that went away is told by its link.
      if (this.options.link.isUp && !this.hasFailed) this.options.onFault(error);
      this.hasFailed = true;
    }
  }

  /** Any relay may release: a statement that finds nothing more to release changes nothing. What it released is due now. */
  private async release(): Promise<void> {
    const { outbox, wallMs } = this.options;
    const releaseMs = await outbox.nextReleaseMs();
    if (releaseMs === null || releaseMs > wallMs()) return;
    if ((await outbox.releaseDue(wallMs(), RELEASES_A_ROUND)) > 0) this.woken = true;
  }

  private async add(due: readonly DueDelivery[]): Promise<void> {
    const now = this.options.steadyMs();
    const fresh: DueDelivery[] = [];
    const added: typeof this.added = new Map();
    for (const one of due) {
      const known = this.added.get(one.id);
      if (known?.dueMs === one.dueMs && now - known.atMs < REPEAT_MS) added.set(one.id, known);
      else fresh.push(one);
    }
    this.added = added; // no more than is due: what has ended is forgotten
    for (let from = 0; from < fresh.length; from += BULK) {
      const bulk = fresh.slice(from, from + BULK);
      // Before it is done: who is to be told again of one of these meanwhile must not be forgotten.
      for (const { id, dueMs } of bulk) added.set(id, { dueMs, atMs: now });
      try {
        await this.jobs.add(bulk);
      } catch (error) {
        for (const { id } of bulk) added.delete(id);
        throw error;
      }
    }
  }

  private goOn(): void {
    this.isBusy = false;
    if (this.woken) this.wake();
    else this.after(this.options.everyMs ?? 1000, () => this.wake());
  }

  private after(ms: number, next: () => void): void {
    if (this.state !== 'working') return;
    this.timer = setTimeout(next, ms);
    this.timer.unref();
  }
}
