import type { LiveBus } from '../live/live-bus.js';
import { MemoryBus } from '../live/memory-bus.js';
import type { Opening } from './surroundings.js';

/** openBus opens the side branch to whoever watches. */
export function openBus({ log, closeLast }: Opening): LiveBus {
  const bus = new MemoryBus((error) => log.error({ err: error }, 'a listener of the live bus failed'));
  closeLast(() => bus.close());
  return bus;
}
