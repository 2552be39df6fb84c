import { randomBytes } from 'node:crypto';
import type { AlertBook } from '../alerts/alert-book.js';
import { toWireAlert } from '../alerts/wire.js';
import type { Config } from '../config.js';
import type { LiveBus } from '../live/live-bus.js';
import { LiveDoor } from '../live/live-door.js';
import { LiveFeed } from '../live/live-feed.js';
import { Tickets } from '../live/tickets.js';
import type { Principal } from '../platform/principal.js';
import { createRecentOfModels } from '../query/recent-of-models.js';
import type { Read } from '../query/read.js';
import type { State } from './open-state.js';
import type { Opening } from './surroundings.js';

/** openLive opens the live feed, over what was read and raised before. */
export function openLive(
  { config, clock, log, telemetry, closeLast }: Opening,
  { state, bus, book, read }: { state: State; bus: LiveBus; book: AlertBook; read: Read },
) {
  const feed = new LiveFeed({
    bus,
    recent: createRecentOfModels(read, clock.wallMs),
    firing: (project, models) =>
      book
        .firing(project)
        .filter((alert) => models?.includes(alert.modelId) ?? true)
        .map(toWireAlert),
    startedMs: clock.wallMs(),
    steadyMs: clock.steadyMs,
    dropped: telemetry.liveDropped,
    onFault: (error) => log.error({ err: error }, 'the live feed met a fault and goes on'),
  });
  feed.start();
  closeLast(() => feed.close());
  const tickets = new Tickets({ steadyMs: clock.steadyMs, randomBytes });
  const allowedOrigins = originsOf(config);
  const door = new LiveDoor({ keys: state.ring, tickets, allowedOrigins, maxClients: config.liveClients, feed });
  const end = (isOver: (principal: Principal) => boolean) => {
    tickets.revoke(isOver);
    feed.disconnect(isOver);
  };
  return { feed, tickets, door, end };
}
/** LiveParts are the live feed and its doors. */
export type LiveParts = ReturnType<typeof openLive>;

/** originsOf lists whose web pages may call: those allowed, and pages that this server is known by elsewhere. */
export function originsOf({ allowedOrigins, publicUrl }: Config): readonly string[] {
  return publicUrl === null ? allowedOrigins : [...allowedOrigins, new URL(publicUrl).origin];
}
