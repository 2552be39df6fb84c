import { Cluster, Redis } from 'ioredis';
import { clusterOptions, type RedisRole, singleOptions, STALLED_MS } from './client-options.js';
import { readRedisUrl, type RedisTarget } from './redis-url.js';

/** RedisClient is a connected client of ioredis, of one server or of a Cluster. */
export type RedisClient = Redis | Cluster;

/** RedisFault is the beginning or the end of a time without Redis. It carries no Error: those of ioredis hold passwords. */
export type RedisFault =
  { readonly kind: 'away'; readonly reason: string } | { readonly kind: 'back'; readonly awayMs: number };

/** OpenRedisOptions are where Redis is and what the connection is for. */
export interface OpenRedisOptions {
  readonly url: string;
  readonly role: RedisRole;
  /** Told once when Redis goes away and once when it is back, however many commands fail meanwhile. */
  readonly onFault: (fault: RedisFault) => void;
  /** In 0..1, as Math.random, which is the default: spreads reconnections. */
  readonly random?: () => number;
}

/** How often a subscriber asks whether its connection still carries anything. */
const SUBSCRIBER_PING_MS = 5000;

/**
 * openRedis opens a connection and answers at once, whether Redis is there or not: it is looked for until `close`.
 * Throws for a URL that names no Redis.
 */
export function openRedis(options: OpenRedisOptions): RedisLink {
  const read = readRedisUrl(options.url);
  if (!read.ok) throw new Error(`the URL of Redis ${read.reason}`);
  return RedisLink.over(connect(read.target, options), options);
}

/** RedisLink is one connection to Redis, and what is known of its health. */
export class RedisLink {
  private awaySinceMs: number | null = null;
  private hasClosed = false;
  private pulse: NodeJS.Timeout | undefined;

  private constructor(
    readonly client: RedisClient,
    private readonly options: OpenRedisOptions,
  ) {}

  /** over watches a client that was just made. */
  static over(client: RedisClient, options: OpenRedisOptions): RedisLink {
    const link = new RedisLink(client, options);
    client.on('error', (error: unknown) => link.goneAway(reasonOf(error)));
    client.on('close', () => link.goneAway('the connection was closed'));
    client.on('ready', () => link.cameBack());
    if (options.role === 'subscriber') link.pulse = setInterval(() => link.ping(), SUBSCRIBER_PING_MS).unref();
    return link;
  }

  /** isUp tells whether commands are taken now. */
  get isUp(): boolean {
    return this.client.status === 'ready';
  }

  /** whenUp waits up to `deadlineMs` for Redis and answers whether it is there. */
  whenUp(deadlineMs: number): Promise<boolean> {
    if (this.isUp || this.hasClosed) return Promise.resolve(this.isUp);
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.client.off('ready', end);
        this.client.off('end', end);
        resolve(this.isUp);
      };
      const timer = setTimeout(end, deadlineMs);
      this.client.on('ready', end);
      this.client.on('end', end);
    });
  }

  /** close cuts the connection; commands that are under way fail. */
  async close(): Promise<void> {
    if (this.hasClosed) return;
    this.hasClosed = true;
    clearInterval(this.pulse);
    if (this.client.status === 'end') return;
    await new Promise<void>((resolve) => {
      // A server that hangs does not answer the end of its connection either.
      const late = setTimeout(resolve, STALLED_MS);
      this.client.once('end', () => {
        clearTimeout(late);
        resolve();
      });
      this.client.disconnect();
    });
  }

  private goneAway(reason: string): void {
    if (this.awaySinceMs !== null || this.hasClosed) return;
    this.awaySinceMs = performance.now();
    this.options.onFault({ kind: 'away', reason });
  }

  private cameBack(): void {
    if (this.awaySinceMs === null || this.hasClosed) return;
    const awayMs = Math.round(performance.now() - this.awaySinceMs);
    this.awaySinceMs = null;
    this.options.onFault({ kind: 'back', awayMs });
  }

  /** Nobody writes on a subscriber's connection, so without this a dead one would look like a quiet one for ever. */
  private ping(): void {
    if (this.isUp) this.client.ping().catch(() => undefined); // The cut connection tells it as a fault.
  }
}

function connect(target: RedisTarget, { role, random = Math.random }: OpenRedisOptions): RedisClient {
  if (target.kind !== 'cluster') return new Redis(singleOptions(target, role, random));
  const nodes = target.nodes.map(({ host, port }) => ({ host, port }));
  return new Cluster(nodes, clusterOptions(target, role, random));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown fault';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return error.message === '' ? code || error.name : error.message;
}
