import { randomUUID } from 'node:crypto';
import type { LiveBus } from '../live/live-bus.js';
import { MemoryBus } from '../live/memory-bus.js';
import { RedisBus } from '../live/redis-bus.js';
import type { Links } from './open-links.js';
import type { Opening } from './surroundings.js';

/** openBus opens the side branch to whoever watches, here or at another instance. */
export function openBus({ clock, log, telemetry, closeLast }: Opening, links: Links | null): LiveBus {
  const onFault = (error: unknown): void => log.error({ err: error }, 'a listener of the live bus failed');
  const bus = links
    ? RedisBus.open({
        publisher: links.producer,
        subscriber: links.subscriber,
        instance: randomUUID(),
        steadyMs: clock.steadyMs,
        onFault,
        onRefused: (error) => log.error({ err: error }, 'Redis refuses channels of the live feed; see its access list'),
        dropped: (kind, items) => telemetry.busDropped.inc({ kind }, items),
      })
    : new MemoryBus(onFault);
  closeLast(() => bus.close());
  return bus;
}
