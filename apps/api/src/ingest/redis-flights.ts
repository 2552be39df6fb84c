import { randomBytes } from 'node:crypto';
import { type RedisLink, RedisScript } from '@tidemark/redis';
import type { Answer } from './idempotency.js';
import type { FlightOutcome, SharedFlights } from './shared-flights.js';

/** RedisFlightsOptions are the connection and the times of a RedisFlights. */
export interface RedisFlightsOptions {
  /** A producer's connection. */
  readonly link: RedisLink;
  /** How long a claim holds when its instance dies; longer than any request takes. Default 30 s. */
  readonly claimMs?: number;
  /** How long an answer is kept at hand, default 10 minutes; after that the store's record answers. */
  readonly keptMs?: number;
  /** What all keys begin with, default `tidemark:once:`. */
  readonly prefix?: string;
}

/** Longer answers stay in the store alone: Redis evicts nothing, so it must not fill up with them. */
const MAX_ANSWER_BYTES = 4096;

const TAKE = new RedisScript(`local held = redis.call('GET', KEYS[1])
if held then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false`);

/** Only whoever holds the claim may end it: its time may have run out, and another have claimed. */
const LAND = new RedisScript(`if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`);

/** RedisFlights are the SharedFlights over one Redis: a claim is a key that is set where there is none. */
export class RedisFlights implements SharedFlights {
  constructor(private readonly options: RedisFlightsOptions) {}

  async take(id: string, fingerprint: string): Promise<FlightOutcome> {
    const { link, claimMs = 30_000, prefix = 'tidemark:once:' } = this.options;
    if (!link.isUp) return alone;
    const key = `${prefix}${id}`;
    const claim = JSON.stringify([fingerprint, randomBytes(12).toString('base64url')]);
    let held: unknown;
    try {
      held = await TAKE.run(link.client, [key], [claim, claimMs]);
    } catch {
      return alone; // the link tells of a Redis that is away
    }
    return held === null ? { kind: 'taken', land: (answer) => this.land(key, claim, fingerprint, answer) } : read(held);
  }

  private async land(key: string, claim: string, fingerprint: string, answer: Answer | null): Promise<void> {
    const { link, keptMs = 600_000 } = this.options;
    const isKept = answer !== null && answer.status < 300 && Buffer.byteLength(answer.body) <= MAX_ANSWER_BYTES;
    const value = isKept ? JSON.stringify([fingerprint, answer.status, answer.body]) : '';
    try {
      if (link.isUp) await LAND.run(link.client, [key], [claim, value, keptMs]);
    } catch {
      // The claim then ends by its time, and the record in the store answers.
    }
  }
}

const alone: FlightOutcome = { kind: 'taken', land: () => Promise.resolve() };

function read(held: unknown): FlightOutcome {
  const value: unknown = typeof held === 'string' ? JSON.parse(held) : null;
  if (!Array.isArray(value)) return alone;
  const [fingerprint, second, body] = value as readonly unknown[];
  if (typeof fingerprint !== 'string') return alone;
  if (typeof second === 'number' && typeof body === 'string') {
    return { kind: 'landed', fingerprint, answer: { status: second, body } };
  }
  return { kind: 'busy', fingerprint };
}
