import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { ChannelKinds, DEFAULT_DELIVERY_LIMITS, loadClients, MemoryLimiter, openChannels } from '@tidemark/delivery';
import { BullMqQueue, RedisLimiter } from '@tidemark/delivery/redis';
import {
  type Clock,
  closeAll,
  type Closer,
  createDeliveryReport,
  openLink,
  openOrClose,
  openPostgres,
} from '@tidemark/program';
import type { RedisLink } from '@tidemark/redis';
import { Channels, Claims, Deliveries, Outbox, Projects, type State } from '@tidemark/state';
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

/** Opening is what every step is opened in; `closeLast` is told how to close what was opened, in that order. */
interface Opening extends Surroundings {
  readonly telemetry: Telemetry;
  readonly closeLast: (closer: Closer) => void;
}

/** compose opens the database, Redis and the channels, and starts to deliver. */
export async function compose(surroundings: Surroundings): Promise<Composition> {
  const closers: Closer[] = [];
  const telemetry = new Telemetry();
  const opening: Opening = { ...surroundings, telemetry, closeLast: (closer) => closers.push(closer) };
  return openOrClose(closers, async () => {
    const state = await openPostgres(opening.config.databaseUrl, opening);
    // Before the first message: each client takes up to 100 ms in which nothing else runs.
    loadClients((kind, err) =>
      opening.log.warn({ err, kind }, 'a client could not be loaded yet; its first message will try'),
    );
    const ways = await openWays(opening, state);
    const links = await openLinks(opening);
    const limiters = limitersOf(opening, links);
    const queue = await startQueue(opening, { state, ways, links, limiters });
    observe(opening, queue, limiters);
    const health: Health = {
      isAlive: () => queue.isAlive(),
      isReady: () => isReady(state, links.worker),
      metrics: () => telemetry.registry.metrics(),
    };
    return { queue, health, close: () => closeAll(closers) };
  });
}

/** The ways to people. Every try looks its channel up through `kinds`, so that its kind is known when it is counted. */
async function openWays({ config, clock, closeLast }: Opening, state: State) {
  const kinds = new ChannelKinds(new Channels(state));
  const channels = await openChannels(kinds, { ...config, keyFile: '' }, clock.wallMs);
  closeLast(() => channels.close());
  return { kinds, directory: channels.directory };
}
type Ways = Awaited<ReturnType<typeof openWays>>;

interface Links {
  readonly producer: RedisLink;
  readonly worker: RedisLink;
}

async function openLinks(opening: Opening): Promise<Links> {
  const { redisUrl: url } = opening.config;
  const whileAway = 'deliveries wait';
  return {
    producer: await openLink({ url, role: 'producer', whileAway }, opening),
    worker: await openLink({ url, role: 'worker', whileAway }, opening),
  };
}

interface Limiters {
  readonly shared: RedisLimiter;
  /** Decides while Redis is away. */
  readonly local: MemoryLimiter;
}

function limitersOf({ clock }: Opening, { producer }: Links): Limiters {
  const local = new MemoryLimiter({ steadyMs: clock.steadyMs });
  return { shared: new RedisLimiter({ link: producer, local }), local };
}

interface Parts {
  readonly state: State;
  readonly ways: Ways;
  readonly links: Links;
  readonly limiters: Limiters;
}

async function startQueue(
  { config, log, clock, telemetry, closeLast }: Opening,
  { state, ways: { kinds, directory }, links, limiters }: Parts,
): Promise<BullMqQueue> {
  const queue = new BullMqQueue({
    ...{ outbox: new Outbox(state), claims: new Claims(state), deliveries: new Deliveries(state) },
    ...links,
    places: config.concurrency,
    deliver: {
      limiter: limiters.shared,
      limits: DEFAULT_DELIVERY_LIMITS,
      find: (project, id) => directory.find(project, id),
    },
    disable: (project, id, change) => directory.disable(project, id, change),
    holder: `${hostname()}/${randomUUID()}`,
    ...{ wallMs: clock.wallMs, steadyMs: clock.steadyMs, random: Math.random },
    report: createDeliveryReport(log, telemetry.deliveries, (channelId) => kinds.kindOf(channelId)),
  });
  await queue.start();
  closeLast(async () => {
    const { aborted } = await queue.stop(config.drainMs);
    if (aborted > 0) log.warn({ aborted }, 'deliveries were cut off; they are sent again');
  });
  return queue;
}

/** What the worker counts about itself. */
function observe({ clock, telemetry }: Opening, queue: BullMqQueue, { shared, local }: Limiters): void {
  telemetry.start({
    sending: () => queue.stats().sending,
    queueDepth: () => queue.depth?.waiting ?? null,
    progressS: () => (clock.wallMs() - (clock.steadyMs() - queue.lastProgressMs)) / 1000,
    localLimits: () => shared.stats().local,
    limitsForgotten: () => local.stats().forgotten + shared.stats().forgotten,
  });
}

async function isReady(state: State, worker: RedisLink): Promise<boolean> {
  if (!worker.isUp) return false;
  return new Projects(state).list().then(
    () => true,
    () => false,
  );
}
