/** LimitOutcome tells whether a request may go on, and the state of its key's limit. */
export interface LimitOutcome {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the whole limit is there again. */
  readonly resetS: number;
  /** Seconds until a request may go on; 0 when this one may. */
  readonly retryAfterS: number;
}

/** KeyLimiter bounds the requests of each API key; null where keys are not limited. It answers at once where it can. */
export interface KeyLimiter {
  take(keyId: string): LimitOutcome | null | Promise<LimitOutcome | null>;
}

interface Bucket {
  tokens: number;
  updatedMs: number;
}

/** In this time any bucket fills up: one that was not asked for longer is as good as a new one. */
const FILL_MS = 60_000;
const FILL_S = FILL_MS / 1000;

/** KeyLimit bounds the requests of each API key with a token bucket: a minute's worth at once, refilled evenly. */
export class KeyLimit implements KeyLimiter {
  private readonly buckets = new Map<string, Bucket>();
  private sweptMs = -Infinity;

  constructor(
    private readonly perMinute: number,
    private readonly steadyMs: () => number,
  ) {}

  /** keys is how many keys it remembers: those that were used within the last two minutes. */
  get keys(): number {
    return this.buckets.size;
  }

  /** take counts one request of a key; null when keys are not limited. */
  take(keyId: string): LimitOutcome | null {
    if (this.perMinute === 0) return null;
    const nowMs = this.steadyMs();
    if (nowMs - this.sweptMs >= FILL_MS) this.forgetFull(nowMs);
    const bucket = this.buckets.get(keyId) ?? { tokens: this.perMinute, updatedMs: nowMs };
    this.buckets.set(keyId, bucket);
    bucket.tokens = Math.min(this.perMinute, bucket.tokens + ((nowMs - bucket.updatedMs) / FILL_MS) * this.perMinute);
    bucket.updatedMs = nowMs;
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    const resetS = Math.ceil(((this.perMinute - bucket.tokens) / this.perMinute) * FILL_S);
    const retryAfterS = allowed ? 0 : Math.ceil(((1 - bucket.tokens) / this.perMinute) * FILL_S);
    return { allowed, limit: this.perMinute, remaining: Math.floor(bucket.tokens), resetS, retryAfterS };
  }

  private forgetFull(nowMs: number): void {
    this.sweptMs = nowMs;
    for (const [keyId, { updatedMs }] of this.buckets) if (nowMs - updatedMs >= FILL_MS) this.buckets.delete(keyId);
  }
}

/** limitHeaders are the headers that tell a client of its limit: the IETF's fields and the older X- ones. */
export function limitHeaders(outcome: LimitOutcome): Readonly<Record<string, string>> {
  return {
    'ratelimit-policy': `"key";q=${outcome.limit};w=${FILL_S}`,
    ratelimit: `"key";r=${outcome.remaining};t=${outcome.resetS}`,
    'x-ratelimit-limit': String(outcome.limit),
    'x-ratelimit-remaining': String(outcome.remaining),
    'x-ratelimit-reset': String(outcome.resetS),
  };
}
