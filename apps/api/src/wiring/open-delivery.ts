import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  ChannelDirectory,
  createAddressGuard,
  DEFAULT_DELIVERY_LIMITS,
  loadOrCreateKey,
  MemoryLimiter,
  openSafeFetch,
  OutboxQueue,
  seedLimiter,
  systemResolve,
} from '@tidemark/delivery';
import type { Channel } from '@tidemark/state';
import { ChannelKinds } from '../alerts/channel-kinds.js';
import { ChannelVault } from '../alerts/channel-vault.js';
import { ClientLoading } from '../alerts/client-loading.js';
import { createDeliveryReport } from '../alerts/delivery-report.js';
import { testChannel } from '../alerts/test-channel.js';
import type { State } from './open-state.js';
import type { Opening } from './surroundings.js';

/** openDelivery opens the way from the outbox, under the limits, to the channels. */
export async function openDelivery({ config, clock, log, telemetry, closeLast }: Opening, state: State) {
  const guard = createAddressGuard(config.allowedTargets);
  const http = openSafeFetch({ guard, resolve: systemResolve });
  closeLast(() => http.close());
  const secret = config.secret === null ? {} : { secret: config.secret };
  const sealing = await loadOrCreateKey({ ...secret, file: join(config.dataDir, 'secret.key') });
  if (!sealing.ok) throw new Error(`TIDEMARK_SECRET: ${sealing.reason}`);
  const mail = config.smtp ? { mail: { server: config.smtp, from: config.emailFrom } } : {};
  const deps = { http, guard, resolve: systemResolve, wallMs: clock.wallMs, ...mail };
  const directory = new ChannelDirectory({ channels: state.channels, key: sealing.key, deps });
  closeLast(() => directory.close());
  const kinds = new ChannelKinds(state.channels);
  const clients = new ClientLoading(log);
  closeLast(async () => clients.close());
  for (const kind of await kinds.load(state.projects)) clients.want(kind);
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
    report: createDeliveryReport(log, telemetry, (channelId) => kinds.kindOf(channelId)),
  });
  await queue.start();
  closeLast(async () => void (await queue.stop(config.drainMs)));
  const test = (channel: Channel) => testChannel(channel, { directory, random: randomBytes, wallMs: clock.wallMs });
  return { queue, limiter, kinds, clients, test, vault: new ChannelVault(sealing.key, randomBytes) };
}
/** Delivery is the open way of notifications. */
export type Delivery = Awaited<ReturnType<typeof openDelivery>>;
