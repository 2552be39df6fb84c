import type { RedisLink } from '@tidemark/redis';
import { DeliveryJobs, type JobCounts } from './delivery-jobs.js';

/** QueueDepth are the jobs of all processes. */
export type QueueDepth = JobCounts;

/** ProgressOptions are what a Progress works with. */
export interface ProgressOptions {
  /** A producer's connection. */
  readonly link: RedisLink;
  readonly steadyMs: () => number;
  readonly prefix: string;
  /** How long jobs may wait while nothing moves. */
  readonly aliveMs: number;
  /** Between two looks, default 2000 ms. */
  readonly everyMs?: number;
}

/**
 * Progress tells a consumer that works from one that is merely connected: its fetching may have died, its places may all
 * be taken by what never ends. It is dead when jobs wait and nothing has moved here for long. An idle one is alive, and so
 * is one without Redis: starting it again would mend nothing.
 */
export class Progress {
  private readonly jobs: DeliveryJobs;
  private waitingSinceMs: number | null = null;
  private movedMs: number;
  private seen: QueueDepth | null = null;
  private timer: NodeJS.Timeout | undefined;
  private isLooking = false;

  constructor(private readonly options: ProgressOptions) {
    this.jobs = new DeliveryJobs(options.link, options.prefix);
    this.movedMs = options.steadyMs();
  }

  start(): void {
    this.note();
    this.timer = setInterval(() => void this.look(), this.options.everyMs ?? 2000).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    void this.jobs.close();
  }

  /** note is told whenever a job is taken or ended. */
  note(): void {
    this.movedMs = this.options.steadyMs();
  }

  get lastMs(): number {
    return this.movedMs;
  }

  get depth(): QueueDepth | null {
    return this.seen;
  }

  isAlive(): boolean {
    if (this.waitingSinceMs === null) return true;
    return this.options.steadyMs() - Math.max(this.waitingSinceMs, this.movedMs) < this.options.aliveMs;
  }

  /** look counts what waits. */
  async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      this.seen = await this.jobs.counts();
      if (this.seen.waiting === 0) this.waitingSinceMs = null;
      else this.waitingSinceMs ??= this.options.steadyMs();
    } catch {
      this.seen = null;
      this.waitingSinceMs = null;
    } finally {
      this.isLooking = false;
    }
  }
}
