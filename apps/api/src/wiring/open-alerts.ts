import { randomBytes, randomUUID } from 'node:crypto';
import { FaultEpisode } from '@tidemark/program';
import { LeaseKeeper, Leases } from '@tidemark/state';
import { AlertBook, SHARED_GRACE_MS } from '../alerts/alert-book.js';
import { AlertKeeper } from '../alerts/alert-keeper.js';
import { notificationPayload } from '../alerts/notification-payload.js';
import { toWireAlert } from '../alerts/wire.js';
import type { LiveBus } from '../live/live-bus.js';
import type { Delivery } from './open-delivery.js';
import type { State } from './open-state.js';
import type { Opening } from './surroundings.js';

/** openAlerts opens the book of firing alerts, and the sweep over them. */
export async function openAlerts(
  opening: Opening,
  { state, delivery, bus }: { state: State; delivery: Delivery; bus: LiveBus },
): Promise<AlertBook> {
  const { config, clock, log, telemetry, closeLast } = opening;
  const isShared = config.databaseUrl !== null;
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
      delivery.wake();
    },
    ...(isShared ? { graceMs: SHARED_GRACE_MS } : {}),
  });
  await book.load();
  if (isShared) followOthers(opening, book, bus);
  const sweeper = isShared ? await openSweeper(opening, state) : null;
  const keeper = new AlertKeeper(book, log, sweeper && { isSweeper: () => sweeper.isHolder() });
  keeper.start();
  closeLast(() => keeper.close());
  return book;
}

/** Alerts of other instances come over the bus, sooner than the look of each second finds them. */
function followOthers({ log, closeLast }: Opening, book: AlertBook, bus: LiveBus): void {
  let following: Promise<void> | null = null;
  const reading = new FaultEpisode(log, {
    began: 'alerts of other instances could not be read; each of their changes tries again',
    ended: 'alerts of other instances are read again',
  });
  const leave = bus.subscribe(({ kind }) => {
    if (kind !== 'alert' || following) return;
    following = book
      .follow()
      .then(
        () => reading.worked(),
        (error: unknown) => reading.failed(error),
      )
      .finally(() => (following = null));
  });
  closeLast(async () => {
    leave();
    await following;
  });
}

/** One of the instances resolves and reminds. */
async function openSweeper({ clock, log, closeLast }: Opening, state: State): Promise<LeaseKeeper> {
  const asking = new FaultEpisode(log, {
    began: 'nobody knows who sweeps alerts until PostgreSQL answers',
    ended: 'it is known again who sweeps alerts',
  });
  const keeper = new LeaseKeeper({
    leases: new Leases(state.database),
    name: 'alerts',
    holder: randomUUID(),
    steadyMs: clock.steadyMs,
    onChange: (isHolder) => log.info({ isHolder }, isHolder ? 'sweeping alerts' : 'another instance sweeps alerts'),
    onFault: (error) => asking.failed(error),
    onAnswer: () => asking.worked(),
  });
  await keeper.start();
  closeLast(() => keeper.close());
  return keeper;
}
