import type { Leases } from './leases.js';

/** LeaseKeeperOptions are what a keeper holds, for whom, and by which clock it believes. */
export interface LeaseKeeperOptions {
  readonly leases: Pick<Leases, 'acquire' | 'release'>;
  readonly name: string;
  /** Unique among all processes. */
  readonly holder: string;
  /** A clock that only goes forward, ms. */
  readonly steadyMs: () => number;
  /** How long the lease lasts without renewal, default 10 s. */
  readonly ttlMs?: number;
  /** How often it is asked for and renewed, default 3 s. With the default `ttlMs` another has it 13 s after a death. */
  readonly everyMs?: number;
  readonly onChange?: (isHolder: boolean) => void;
  /** Told of every question that failed, and of every one that was answered. */
  readonly onFault?: (error: unknown) => void;
  readonly onAnswer?: () => void;
}

/** The keeper stops believing so much before the lease ends, for what it has begun by then. */
const MARGIN_SHARE = 0.2;

/**
 * LeaseKeeper asks for a lease again and again and knows whether it has it. It believes so for a time that is counted
 * from before it asked, by its own clock, and that ends before the lease does: when the answers stay away, when the
 * process was stopped for a while, it has stopped believing before another can begin.
 */
export class LeaseKeeper {
  private believesUntilMs = -Infinity;
  private told = false;
  private asking: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;
  private ending: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly options: LeaseKeeperOptions) {}

  /** start asks for the lease now and at every interval, and answers when the first answer is there. */
  async start(): Promise<void> {
    this.timer = setInterval(() => void this.ask(), this.options.everyMs ?? 3_000);
    this.timer.unref();
    await this.ask();
  }

  /** isHolder tells whether this process may act at this moment. */
  isHolder(): boolean {
    return !this.isClosed && this.options.steadyMs() < this.believesUntilMs;
  }

  /** ask asks for the lease once; while one question is on its way there is no other. */
  ask(): Promise<void> {
    this.asking ??= this.askOnce().finally(() => (this.asking = null));
    return this.asking;
  }

  /** close stops asking and gives the lease up. */
  async close(): Promise<void> {
    const wasHolder = this.isHolder();
    this.isClosed = true;
    clearInterval(this.timer);
    clearTimeout(this.ending);
    this.tell();
    await this.asking;
    // Asked for while closing, it may be held without being believed.
    if (wasHolder || this.believesUntilMs > -Infinity) await this.release();
  }

  private async askOnce(): Promise<void> {
    if (this.isClosed) return;
    const { leases, name, holder, steadyMs, ttlMs = 10_000 } = this.options;
    const askedMs = steadyMs();
    try {
      const { outcome } = await leases.acquire({ name, holder, ttlMs });
      this.believesUntilMs = outcome === 'held' ? askedMs + ttlMs * (1 - MARGIN_SHARE) : -Infinity;
      this.options.onAnswer?.();
    } catch (error) {
      this.options.onFault?.(error); // The belief ends by itself.
    }
    this.tell();
  }

  private tell(): void {
    clearTimeout(this.ending);
    const isHolder = this.isHolder();
    if (isHolder) {
      this.ending = setTimeout(() => this.tell(), Math.ceil(this.believesUntilMs - this.options.steadyMs()) + 1);
      this.ending.unref();
    }
    if (isHolder === this.told) return;
    this.told = isHolder;
    this.options.onChange?.(isHolder);
  }

  private async release(): Promise<void> {
    try {
      await this.options.leases.release(this.options.name, this.options.holder);
    } catch (error) {
      this.options.onFault?.(error); // It runs out by itself.
    }
  }
}
