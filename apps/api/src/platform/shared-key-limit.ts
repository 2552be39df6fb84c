import { type RedisLink, RedisScript } from '@tidemark/redis';
import type { KeyLimit, KeyLimiter, LimitOutcome } from './key-limit.js';

/** SharedKeyLimitOptions are what a SharedKeyLimit works with. */
export interface SharedKeyLimitOptions {
  /** A producer's connection. */
  readonly link: RedisLink;
  /** Decides while Redis is away; the same limit, for this instance alone. */
  readonly local: KeyLimit;
  /** Requests a minute, more than 0. */
  readonly perMinute: number;
  readonly steadyMs: () => number;
  /** What all keys begin with, default `tidemark:keys:`. */
  readonly prefix?: string;
}

interface Reserve {
  tokens: number;
  leasedMs: number;
  /** What the shared bucket held after the last lease. */
  left: number;
  /** Until then the bucket is known to be empty. */
  emptyUntilMs: number;
  leasing: Promise<boolean> | null;
}

/** What was leased and not used is given up after this long: the bucket has filled up meanwhile. */
const LEASE_MS = 10_000;
const SWEEP_EVERY_MS = 30_000;

/** A token bucket by the clock of Redis. ARGV: its size, tokens a minute, how many are wanted. */
const LEASE = new RedisScript(`local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local size, perMinute, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(kept[1] or size), tonumber(kept[2] or now)
if now > at then tokens = math.min(size, tokens + (now - at) * perMinute / 60000000) end
local granted = math.min(wanted, math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], 120000)
return { granted, string.format('%.9f', tokens) }`);

/**
 * SharedKeyLimit is one token bucket for each key over all instances. An instance takes a second's worth of tokens at a
 * time and fetches the next before they are used up, so that hardly a request waits for Redis. The price: a key that
 * uses several instances may be refused early by up to a second and a half's worth for each of the others, and what they
 * hold may come on top of a full bucket for 10 s. While Redis is away each instance keeps the limit by itself.
 */
export class SharedKeyLimit implements KeyLimiter {
  private readonly reserves = new Map<string, Reserve>();
  private readonly leaseSize: number;
  private sweptMs = -Infinity;

  constructor(private readonly options: SharedKeyLimitOptions) {
    this.leaseSize = Math.min(100, Math.max(1, Math.floor(options.perMinute / 60)));
  }

  /** keys is how many keys it remembers: those that were used within the last minute or are refused. */
  get keys(): number {
    return this.reserves.size;
  }

  /** take counts one request of a key: at once where tokens are at hand or known to be used up. */
  take(keyId: string): LimitOutcome | null | Promise<LimitOutcome | null> {
    // Counted here too, so that without Redis the local bucket goes on from what this instance let through.
    const local = this.options.local.take(keyId);
    if (!this.options.link.isUp) return local;
    const now = this.options.steadyMs();
    if (now - this.sweptMs >= SWEEP_EVERY_MS) this.forgetSpent(now);
    const reserve = this.reserveOf(keyId);
    if (now - reserve.leasedMs > LEASE_MS) reserve.tokens = 0;
    if (reserve.tokens >= 1) return this.spend(keyId, reserve);
    if (reserve.emptyUntilMs > now) return this.refuse(reserve, now);
    return this.takeAfterLease(keyId, reserve, local);
  }

  private async takeAfterLease(
    keyId: string,
    reserve: Reserve,
    local: LimitOutcome | null,
  ): Promise<LimitOutcome | null> {
    // Of many that wait for one lease some may come too late for it, and wait for the next.
    for (;;) {
      if (!(await this.lease(keyId, reserve))) return local;
      if (reserve.tokens >= 1) return this.spend(keyId, reserve);
      const now = this.options.steadyMs();
      if (reserve.emptyUntilMs > now) return this.refuse(reserve, now);
    }
  }

  private spend(keyId: string, reserve: Reserve): LimitOutcome {
    reserve.tokens -= 1;
    const now = this.options.steadyMs();
    if (reserve.tokens < this.leaseSize / 2 && reserve.emptyUntilMs <= now) void this.lease(keyId, reserve);
    return this.outcome(reserve, 0);
  }

  private refuse(reserve: Reserve, now: number): LimitOutcome {
    return this.outcome(reserve, Math.max(1, Math.ceil((reserve.emptyUntilMs - now) / 1000)));
  }

  private outcome(reserve: Reserve, retryAfterS: number): LimitOutcome {
    const { perMinute } = this.options;
    const remaining = Math.min(perMinute, Math.floor(reserve.tokens + reserve.left));
    const resetS = Math.ceil(((perMinute - remaining) / perMinute) * 60);
    return { allowed: retryAfterS === 0, limit: perMinute, remaining, resetS, retryAfterS };
  }

  /** Answers whether Redis did. One at a time for each key. */
  private lease(keyId: string, reserve: Reserve): Promise<boolean> {
    reserve.leasing ??= this.leaseOnce(keyId, reserve).finally(() => (reserve.leasing = null));
    return reserve.leasing;
  }

  private async leaseOnce(keyId: string, reserve: Reserve): Promise<boolean> {
    const { link, perMinute, steadyMs, prefix = 'tidemark:keys:' } = this.options;
    try {
      const answer = await LEASE.run(link.client, [`${prefix}${keyId}`], [perMinute, perMinute, this.leaseSize]);
      const [granted, left] = Array.isArray(answer) ? answer.map(Number) : [];
      if (granted === undefined || left === undefined) return false;
      reserve.tokens += granted;
      reserve.leasedMs = steadyMs();
      reserve.left = left;
      if (granted === 0) reserve.emptyUntilMs = steadyMs() + ((1 - left) / perMinute) * 60_000;
      return true;
    } catch {
      return false; // the link tells of a Redis that is away
    }
  }

  /** What holds no lease, knows of no empty bucket and waits for nothing decides as a new one does. */
  private forgetSpent(now: number): void {
    this.sweptMs = now;
    for (const [keyId, { leasedMs, emptyUntilMs, leasing }] of this.reserves) {
      if (leasing === null && now - leasedMs > LEASE_MS && emptyUntilMs <= now) this.reserves.delete(keyId);
    }
  }

  private reserveOf(keyId: string): Reserve {
    const found = this.reserves.get(keyId);
    if (found) return found;
    const made = { tokens: 0, leasedMs: 0, left: 0, emptyUntilMs: 0, leasing: null };
    this.reserves.set(keyId, made);
    return made;
  }
}
