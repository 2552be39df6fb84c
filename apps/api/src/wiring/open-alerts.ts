import { randomBytes } from 'node:crypto';
import { AlertBook } from '../alerts/alert-book.js';
import { AlertKeeper } from '../alerts/alert-keeper.js';
import { notificationPayload } from '../alerts/notification-payload.js';
import { toWireAlert } from '../alerts/wire.js';
import type { LiveBus } from '../live/live-bus.js';
import type { Delivery } from './open-delivery.js';
import type { State } from './open-state.js';
import type { Opening } from './surroundings.js';

/** openAlerts opens the book of firing alerts, and the sweep over them. */
export async function openAlerts(
  { config, clock, log, telemetry, closeLast }: Opening,
  { state, delivery, bus }: { state: State; delivery: Delivery; bus: LiveBus },
): Promise<AlertBook> {
  const book = new AlertBook({
    alerts: state.alerts,
    clock,
    random: randomBytes,
    timingOf: (project, modelId) => state.directory.timingOf(project, modelId),
    channelsFor: async (project, modelId) => {
      const wanted = state.directory.get(project, modelId)?.channelIds ?? null;
      const enabled = (await delivery.kinds.list(project)).filter((channel) => channel.enabled);
      return enabled.filter(({ id }) => wanted === null || wanted.includes(id)).map(({ id }) => id);
    },
    payload: (alert, event) => notificationPayload(alert, event, config.publicUrl),
    committed: (alert, events) => {
      for (const event of events) telemetry.alertEvents.inc({ event: event.kind, severity: event.severity });
      bus.publish({ kind: 'alert', project: alert.project, items: [toWireAlert(alert)] });
      delivery.queue.wake();
    },
  });
  await book.load();
  const keeper = new AlertKeeper(book, log);
  keeper.start();
  closeLast(() => keeper.close());
  return book;
}
