import { type RedisLink, RedisScript } from '@tidemark/redis';
import type { MemoryLimiter } from './memory-limiter.js';
import { assertLimit, type Limit, type RateLimiter, type Take } from './rate-limiter.js';
import { REDIS_CLOCK, rememberScript, takeScript } from './sliding-window.js';

/** RedisLimiterOptions are what a RedisLimiter works with. */
export interface RedisLimiterOptions {
  /** A producer's connection. */
  readonly link: RedisLink;
  /** Decides while Redis is away. It is this limiter's own: nobody else takes from it. */
  readonly local: MemoryLimiter;
  /** What all keys begin with; its hash tag keeps those of one call in one slot. Default `{tidemark}limit:`. */
  readonly prefix?: string;
  /** Lua that answers the time in microseconds, default the clock of Redis. */
  readonly clock?: string;
}

/** RedisLimiterStats are what a RedisLimiter counts. */
export interface RedisLimiterStats {
  /** Takes that were decided here because Redis was away. */
  readonly local: number;
  /** Windows whose places Redis is still to be told of. */
  readonly owed: number;
  /** Windows that were too many to be told. */
  readonly forgotten: number;
}

const MAX_OWED = 10_000;

/**
 * RedisLimiter keeps one window for all processes. What it lets through it remembers here as well, so that without Redis
 * the local limiter goes on from what this process sent, and Redis is told afterwards what was let through meanwhile.
 * While Redis is away each process has a limit of its own: several may together send more, none sends without one.
 */
export class RedisLimiter implements RateLimiter {
  private readonly takes: RedisScript;
  private readonly remembers: RedisScript;
  private readonly prefix: string;
  private readonly owed = new Map<string, Limit>();
  private settling: Promise<void> | undefined;
  private localTakes = 0;
  private forgotten = 0;

  constructor(private readonly options: RedisLimiterOptions) {
    const { clock = REDIS_CLOCK, prefix = '{tidemark}limit:' } = options;
    this.takes = new RedisScript(takeScript(clock));
    this.remembers = new RedisScript(rememberScript(clock));
    this.prefix = prefix;
  }

  async take(limits: readonly Limit[], id: string): Promise<Take> {
    for (const limit of limits) assertLimit(limit);
    const { link, local } = this.options;
    if (!link.isUp) return this.takeLocally(limits, id);
    try {
      if (this.owed.size > 0) await this.settle();
      // What this process sent is in Redis as well, unless Redis lost it: a limit that is full here is full there.
      const here = local.look(limits, id);
      if (!here.allowed) return here;
      const there = await this.takeInRedis(limits, id);
      if (there.allowed) local.seed(limits, id, 0);
      return there;
    } catch {
      // The link tells of a Redis that is away, and `stats` counts: here it only changes who decides.
      return this.takeLocally(limits, id);
    }
  }

  stats(): RedisLimiterStats {
    return { local: this.localTakes, owed: this.owed.size, forgotten: this.forgotten };
  }

  private async takeInRedis(limits: readonly Limit[], id: string): Promise<Take> {
    const keys = limits.map((limit) => this.keyOf(limit));
    const args = limits.flatMap(({ max, windowMs }) => [max, toUs(windowMs)]);
    const [refusedBy, waitUs] = readAnswer(await this.takes.run(this.options.link.client, keys, [id, ...args]));
    const limit = limits[refusedBy - 1];
    return limit ? { allowed: false, key: limit.key, retryAfterMs: waitUs / 1000 } : { allowed: true };
  }

  private async takeLocally(limits: readonly Limit[], id: string): Promise<Take> {
    this.localTakes += 1;
    const take = await this.options.local.take(limits, id);
    if (!take.allowed) return take;
    for (const limit of limits) {
      const key = this.keyOf(limit);
      this.owed.delete(key);
      this.owed.set(key, limit);
    }
    for (const oldest of this.owed.keys()) {
      if (this.owed.size <= MAX_OWED) break;
      this.owed.delete(oldest);
      this.forgotten += 1;
    }
    return take;
  }

  /** Tells Redis what was let through without it, before anything else is asked of it; all who ask meanwhile wait. */
  private settle(): Promise<void> {
    this.settling ??= this.tellOwed().finally(() => (this.settling = undefined));
    return this.settling;
  }

  private async tellOwed(): Promise<void> {
    const { link, local } = this.options;
    for (const [key, limit] of this.owed) {
      const places = local.places(limit).flatMap(({ id, agoMs }) => [id, toUs(agoMs)]);
      if (places.length > 0) await this.remembers.run(link.client, [key], [toUs(limit.windowMs), ...places]);
      if (this.owed.get(key) === limit) this.owed.delete(key);
    }
  }

  private keyOf({ key, windowMs }: Limit): string {
    return `${this.prefix}${windowMs} ${key}`;
  }
}

function toUs(ms: number): number {
  return Math.round(ms * 1000);
}

function readAnswer(answer: unknown): readonly [number, number] {
  const [refusedBy, waitUs] = Array.isArray(answer) ? (answer as readonly unknown[]) : [];
  if (typeof refusedBy !== 'number') throw new Error('the limiter got an answer from Redis that is none');
  return [refusedBy, Number(waitUs ?? 0)];
}
