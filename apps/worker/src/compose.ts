import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { ChannelKinds, DEFAULT_DELIVERY_LIMITS, MemoryLimiter, openChannels } from '@tidemark/delivery';
import { BullMqQueue, RedisLimiter } from '@tidemark/delivery/redis';
import { type Clock, createDeliveryReport } from '@tidemark/program';
import type { RedisRole } from '@tidemark/redis';
import { openRedis, type RedisFault, type RedisLink } from '@tidemark/redis/open';
import { Channels, Claims, Deliveries, Outbox, Projects, type State } from '@tidemark/state';
import { openPostgresState } from '@tidemark/state/postgres';
import type { Logger } from 'pino';
import type { Config } from './config.js';
import type { Health } from './health-server.js';
import { Telemetry } from './telemetry.js';

/** Surroundings are what a worker is opened in. */
export interface Surroundings {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Composition is a worker that delivers, and what it tells of its health. */
export interface Composition {
  readonly queue: BullMqQueue;
  readonly health: Health;
  /** close finishes what is being sent, within the drain time, and closes everything, last opened first. */
  readonly close: () => Promise<void>;
}

/** compose opens the database, Redis and the channels, and starts to deliver. */
export async function compose({ config, log, clock }: Surroundings): Promise<Composition> {
  const closers: (() => Promise<void>)[] = [];
  const telemetry = new Telemetry();
  try {
    const state = await openPostgresState({
      url: config.databaseUrl,
      onFault: (error) => log.warn({ err: error }, 'a connection to PostgreSQL was lost'),
    });
    closers.push(() => state.close());
    // Every try looks its channel up through here, so that its kind is known when it is counted.
    const kinds = new ChannelKinds(new Channels(state));
    const channels = await openChannels(kinds, { ...config, keyFile: '' }, clock.wallMs);
    closers.push(() => channels.close());
    const open = (role: RedisRole): RedisLink => {
      const link = openRedis({ url: config.redisUrl, role, onFault: tellFault(log, role) });
      closers.push(() => link.close());
      return link;
    };
    const [producer, worker] = [open('producer'), open('worker')];
    const local = new MemoryLimiter({ steadyMs: clock.steadyMs });
    const limiter = new RedisLimiter({ link: producer, local });
    const queue = new BullMqQueue({
      ...{ outbox: new Outbox(state), claims: new Claims(state), deliveries: new Deliveries(state) },
      ...{ producer, worker, places: config.concurrency },
      deliver: {
        limiter,
        limits: DEFAULT_DELIVERY_LIMITS,
        find: (project, id) => channels.directory.find(project, id),
      },
      disable: (project, id, change) => channels.directory.disable(project, id, change),
      holder: `${hostname()}/${randomUUID()}`,
      ...{ wallMs: clock.wallMs, steadyMs: clock.steadyMs, random: Math.random },
      report: createDeliveryReport(log, telemetry.deliveries, (channelId) => kinds.kindOf(channelId)),
    });
    await queue.start();
    closers.push(async () => {
      const { aborted } = await queue.stop(config.drainMs);
      if (aborted > 0) log.warn({ aborted }, 'deliveries were cut off; they are sent again');
    });
    telemetry.start({
      sending: () => queue.stats().sending,
      queueDepth: () => queue.depth?.waiting ?? null,
      progressS: () => (clock.wallMs() - (clock.steadyMs() - queue.lastProgressMs)) / 1000,
      localLimits: () => limiter.stats().local,
      limitsForgotten: () => local.stats().forgotten + limiter.stats().forgotten,
    });
    const health = {
      isAlive: () => queue.isAlive(),
      isReady: () => isReady(state, worker),
      metrics: () => telemetry.registry.metrics(),
    };
    return { queue, health, close: () => closeAll(closers) };
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function isReady(state: State, worker: RedisLink): Promise<boolean> {
  if (!worker.isUp) return false;
  return new Projects(state).list().then(
    () => true,
    () => false,
  );
}

function tellFault(log: Logger, role: RedisRole) {
  return (fault: RedisFault): void => {
    if (fault.kind === 'away') log.warn({ role, reason: fault.reason }, 'Redis is away; deliveries wait');
    else log.info({ role, awayMs: fault.awayMs }, 'Redis is back');
  };
}

/** A closer that fails keeps no other from closing. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.toReversed()) {
    await close().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}
