import { assertLimit, type Limit, type RateLimiter, type Take } from './rate-limiter.js';

/** MemoryLimiterOptions are the clock and the bound of a MemoryLimiter. */
export interface MemoryLimiterOptions {
  /** Monotonic milliseconds, such as performance.now(): the wall clock would open or close windows when it is set. */
  readonly steadyMs: () => number;
  /** Keys remembered at most, default 50,000; past it the key that was used longest ago is forgotten, and counted. */
  readonly maxKeys?: number;
}

interface Place {
  readonly id: string;
  readonly at: number;
}

/** MemoryLimiter keeps its windows in this process. Each holds at most as many places as its limit allows. */
export class MemoryLimiter implements RateLimiter {
  /** By window and key, in the order of their last use. */
  private readonly logs = new Map<string, Place[]>();
  private forgottenKeys = 0;

  constructor(private readonly options: MemoryLimiterOptions) {}

  take(limits: readonly Limit[], id: string): Promise<Take> {
    const take = this.look(limits, id);
    if (take.allowed) {
      const now = this.options.steadyMs();
      for (const limit of limits) this.keep(limit, [...this.others(limit, id, now), { id, at: now }]);
    }
    return Promise.resolve(take);
  }

  /** look answers what `take` would, and takes nothing. */
  look(limits: readonly Limit[], id: string): Take {
    const now = this.options.steadyMs();
    let refused: { key: string; retryAfterMs: number } | undefined;
    for (const limit of limits) {
      assertLimit(limit);
      const others = this.others(limit, id, now);
      const blocking = others[others.length - limit.max];
      if (blocking === undefined) continue;
      const retryAfterMs = blocking.at + limit.windowMs - now;
      if (refused === undefined || retryAfterMs > refused.retryAfterMs) refused = { key: limit.key, retryAfterMs };
    }
    return refused === undefined ? { allowed: true } : { allowed: false, ...refused };
  }

  /** places answers who has a place under a limit now, and since how long. */
  places(limit: Limit): readonly { readonly id: string; readonly agoMs: number }[] {
    const now = this.options.steadyMs();
    return this.live(limit, now).map(({ id, at }) => ({ id, agoMs: now - at }));
  }

  /**
   * seed tells of a place that was taken `agoMs` before now, in another life of this process; it is remembered even
   * where the limit is full already.
   */
  seed(limits: readonly Limit[], id: string, agoMs: number): void {
    const now = this.options.steadyMs();
    for (const limit of limits) {
      assertLimit(limit);
      if (agoMs >= limit.windowMs) continue;
      const places = [...this.others(limit, id, now), { id, at: now - Math.max(0, agoMs) }];
      this.keep(limit, places.sort((a, b) => a.at - b.at).slice(-limit.max));
    }
  }

  /** stats tells how many keys are remembered, and how many were forgotten while their window was still running. */
  stats(): { readonly keys: number; readonly forgotten: number } {
    return { keys: this.logs.size, forgotten: this.forgottenKeys };
  }

  private others(limit: Limit, id: string, now: number): Place[] {
    return this.live(limit, now).filter((place) => place.id !== id);
  }

  private live({ key, windowMs }: Limit, now: number): Place[] {
    return (this.logs.get(nameOf(key, windowMs)) ?? []).filter((place) => now - place.at < windowMs);
  }

  private keep({ key, windowMs }: Limit, places: Place[]): void {
    const name = nameOf(key, windowMs);
    this.logs.delete(name);
    this.logs.set(name, places);
    const { maxKeys = 50_000, steadyMs } = this.options;
    for (const [oldest, held] of this.logs) {
      if (this.logs.size <= maxKeys) break;
      this.logs.delete(oldest);
      const last = held.at(-1);
      if (last !== undefined && steadyMs() - last.at < windowOf(oldest)) this.forgottenKeys += 1;
    }
  }
}

function nameOf(key: string, windowMs: number): string {
  return `${windowMs} ${key}`;
}

function windowOf(name: string): number {
  return Number(name.slice(0, name.indexOf(' ')));
}
