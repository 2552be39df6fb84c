import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  type ChannelDirectory,
  ChannelKinds,
  DEFAULT_DELIVERY_LIMITS,
  MemoryLimiter,
  openChannels,
  OutboxQueue,
  seedLimiter,
} from '@tidemark/delivery';
import { createDeliveryReport } from '@tidemark/program';
import type { Channel } from '@tidemark/state';
import { ChannelVault } from '../alerts/channel-vault.js';
import { ClientLoading } from '../alerts/client-loading.js';
import { testChannel } from '../alerts/test-channel.js';
import type { Links } from './open-links.js';
import type { State } from './open-state.js';
import type { Opening } from './surroundings.js';

/** openDelivery opens the way from the outbox to the channels: through workers where there is a Redis, else here. */
export async function openDelivery(opening: Opening, state: State, links: Links | null) {
  const { config, clock, log, closeLast } = opening;
  const keyFile = join(config.dataDir, 'secret.key');
  const channels = await openChannels(state.channels, { ...config, keyFile }, clock.wallMs);
  closeLast(() => channels.close());
  const { directory, key } = channels;
  const kinds = new ChannelKinds(state.channels);
  const clients = new ClientLoading(log);
  closeLast(async () => clients.close());
  for (const kind of await kinds.load(state.projects)) clients.want(kind);
  const way = links ? await openRelay(opening, state, links) : await openQueue(opening, state, { directory, kinds });
  const test = (channel: Channel) => testChannel(channel, { directory, random: randomBytes, wallMs: clock.wallMs });
  return { ...way, kinds, clients, test, vault: new ChannelVault(key, randomBytes) };
}
/** Delivery is the open way of notifications. */
export type Delivery = Awaited<ReturnType<typeof openDelivery>>;

/** Way is what the API itself does for deliveries: it says that there are some. */
interface Way {
  readonly wake: () => void;
  /** How many limits were forgotten for lack of room; where workers keep them, they tell. */
  readonly limitsForgotten: () => number;
}

async function openRelay(
  { clock, log, closeLast }: Opening,
  { claims, outbox }: State,
  { producer }: Links,
): Promise<Way> {
  const { OutboxRelay } = await import('@tidemark/delivery/redis');
  const onFault = (error: unknown): void => log.warn({ err: error }, 'deliveries cannot be queued now; they wait');
  const { wallMs, steadyMs } = clock;
  const relay = new OutboxRelay({ claims, outbox, link: producer, wallMs, steadyMs, onFault });
  relay.start();
  closeLast(() => relay.stop());
  return { wake: () => relay.wake(), limitsForgotten: () => 0 };
}

async function openQueue(
  { config, clock, log, telemetry, closeLast }: Opening,
  state: State,
  { directory, kinds }: { directory: ChannelDirectory; kinds: ChannelKinds },
): Promise<Way> {
  const limiter = new MemoryLimiter({ steadyMs: clock.steadyMs });
  const limits = DEFAULT_DELIVERY_LIMITS;
  await seedLimiter(limiter, state.outbox, { limits, nowMs: clock.wallMs() });
  const queue = new OutboxQueue({
    outbox: state.outbox,
    deliver: { limiter, limits, find: (project, channelId) => directory.find(project, channelId) },
    disable: (project, channelId, change) => directory.disable(project, channelId, change),
    wallMs: clock.wallMs,
    steadyMs: clock.steadyMs,
    random: Math.random,
    report: createDeliveryReport(log, telemetry.deliveries, (channelId) => kinds.kindOf(channelId)),
  });
  await queue.start();
  closeLast(async () => void (await queue.stop(config.drainMs)));
  return { wake: () => queue.wake(), limitsForgotten: () => limiter.stats().forgotten };
}
