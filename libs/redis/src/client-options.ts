import type { ClusterOptions, RedisOptions } from 'ioredis';
import type { RedisTarget } from './redis-url.js';

/**
 * RedisRole is what a connection is for. A `producer` fails fast, so that nothing waits for a Redis that is away; a
 * `worker` waits, as a blocking consumer must; a `subscriber` listens and takes its channels up again by itself.
 */
export type RedisRole = 'producer' | 'worker' | 'subscriber';

/** STALLED_MS is after how long without an answer a producer's connection counts as dead and is cut. */
export const STALLED_MS = 1000;
/** A consumer blocks for up to 10 s by itself, so a connection of its role is dead only later. */
const WORKER_STALLED_MS = 20_000;
const CONNECT_MS = 3000;
const LONGEST_DELAY_MS = 1000;

/**
 * nodeOptions are how a role talks to one server. A server that hangs keeps its connections open: the missing answer
 * cuts them, and as long as no connection is ready a producer's commands fail at once.
 */
function nodeOptions(role: RedisRole) {
  const common = {
    connectTimeout: CONNECT_MS,
    keepAlive: 10_000,
    noDelay: true,
    // After a failover the old master answers READONLY: only a new connection finds the new one.
    reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? (role === 'producer' ? 1 : 2) : false),
  } satisfies RedisOptions;
  if (role !== 'producer') {
    const socketTimeout = role === 'worker' ? WORKER_STALLED_MS : 2 * STALLED_MS;
    return { ...common, maxRetriesPerRequest: null, socketTimeout };
  }
  const patience = { socketTimeout: STALLED_MS, commandTimeout: 2 * STALLED_MS };
  return { ...common, ...patience, maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false };
}

/** singleOptions are nodeOptions for a target that is one server, by itself or behind Sentinel. */
export function singleOptions(
  target: Exclude<RedisTarget, { kind: 'cluster' }>,
  role: RedisRole,
  random: () => number,
): RedisOptions {
  const base = {
    ...nodeOptions(role),
    ...loginOf(target),
    db: target.db,
    enableOfflineQueue: role !== 'producer',
    retryStrategy: (times: number) => delayOf(times, random),
  };
  if (target.kind === 'standalone') {
    return {
      ...base,
      host: target.host,
      port: target.port,
      ...(target.tls ? { tls: {} } : {}),
    };
  }
  return {
    ...base,
    sentinels: target.sentinels.map(({ host, port }) => ({ host, port })),
    name: target.masterName,
    role: 'master',
    sentinelRetryStrategy: (times) => delayOf(times, random),
    sentinelCommandTimeout: CONNECT_MS,
    // Told by the sentinels, a client leaves a master that hangs before its own patience ends.
    failoverDetector: true,
    ...(target.sentinelPassword === undefined ? {} : { sentinelPassword: target.sentinelPassword }),
    ...(target.tls ? { tls: {}, enableTLSForSentinelMode: true } : {}),
  };
}

/** clusterOptions are nodeOptions for a Cluster. */
export function clusterOptions(
  target: Extract<RedisTarget, { kind: 'cluster' }>,
  role: RedisRole,
  random: () => number,
): ClusterOptions {
  const isProducer = role === 'producer';
  return {
    redisOptions: { ...nodeOptions(role), ...loginOf(target), ...(target.tls ? { tls: {} } : {}) },
    clusterRetryStrategy: (times) => delayOf(times, random),
    enableOfflineQueue: !isProducer,
    maxRedirections: isProducer ? 4 : 16,
    // A certificate names the host that was asked for, which an address looked up beforehand is not.
    ...(target.tls ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
  };
}

function loginOf({ username, password }: RedisTarget) {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

/** Doubles from 50 ms to a second, up to a fifth less at random, so that not all clients come back at once. */
function delayOf(times: number, random: () => number): number {
  return Math.round(Math.min(50 * 2 ** Math.min(times - 1, 10), LONGEST_DELAY_MS) * (1 - random() / 5));
}
