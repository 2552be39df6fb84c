import { randomBytes } from 'node:crypto';
import { closeAll, type Closer, openOrClose } from '@tidemark/program';
import { AlertsDeps } from './alerts/alerts.controller.js';
import { ChannelsDeps } from './alerts/channels.controller.js';
import { DeliveriesDeps } from './alerts/deliveries.controller.js';
import type { AlertBook } from './alerts/alert-book.js';
import type { Config } from './config.js';
import { Idempotency } from './ingest/idempotency.js';
import { IngestDoor } from './ingest/ingest-door.js';
import { LiveDoor } from './live/live-door.js';
import { LiveFeed } from './live/live-feed.js';
import { LiveGateway } from './live/live.gateway.js';
import { Tickets } from './live/tickets.js';
import { DocsDeps } from './platform/docs.controller.js';
import type { EdgeDeps } from './platform/edge.js';
import { type HealthChecks, HealthDeps } from './platform/health.controller.js';
import { KeyLimit, type KeyLimiter } from './platform/key-limit.js';
import { SharedKeyLimit } from './platform/shared-key-limit.js';
import { KeysDeps } from './platform/keys.controller.js';
import { ownFolder } from './platform/own-folder.js';
import { Telemetry } from './platform/telemetry.js';
import { ExportDeps } from './query/export.controller.js';
import { QueryDeps } from './query/query.controller.js';
import { createRead, type Read } from './query/read.js';
import { ModelsDeps } from './rules/models.controller.js';
import type { BacklogBoard } from './store/backlog-board.js';
import type { PointStore } from './store/point-store.js';
import { openAlerts } from './wiring/open-alerts.js';
import { openBus } from './wiring/open-bus.js';
import { type Delivery, openDelivery } from './wiring/open-delivery.js';
import { type IngestParts, openIngest } from './wiring/open-ingest.js';
import { type Links, openLinks } from './wiring/open-links.js';
import { openWatch } from './wiring/open-watch.js';
import { type LiveParts, openLive, originsOf } from './wiring/open-live.js';
import { openPoints } from './wiring/open-points.js';
import { openState, type State } from './wiring/open-state.js';
import type { Opening, Surroundings } from './wiring/surroundings.js';

/** Composition is the platform, opened and wired, before anything listens. */
export interface Composition {
  /** What the controllers are given, by class: a value, or the class itself where Nest makes the one instance. */
  readonly providers: readonly (Provided | typeof LiveGateway)[];
  readonly edge: EdgeDeps;
  readonly liveDoor: LiveDoor;
  /** listening is to be called once the server listens: what can wait for that begins then. */
  readonly listening: () => void;
  /** drain makes readiness fail and new requests be refused, and says goodbye to the clients of the live feed. */
  readonly drain: () => Promise<void>;
  /** close ends everything, last opened first. */
  readonly close: () => Promise<void>;
}

/** Provided is a value under the class that stands for it. */
export interface Provided {
  readonly provide: abstract new (...args: never[]) => unknown;
  readonly useValue: unknown;
}

/** compose opens every resource and wires every stage, left to right. */
export async function compose(surroundings: Surroundings): Promise<Composition> {
  const closers: Closer[] = [];
  const telemetry = new Telemetry();
  const opening: Opening = { ...surroundings, telemetry, closeLast: (closer) => closers.push(closer) };
  const draining = { begun: false };
  return openOrClose(closers, async () => {
    const folder = ownFolder(opening.config.dataDir);
    opening.closeLast(async () => folder.release());
    opening.closeLast(async () => telemetry.close());
    const state = await openState(opening);
    const links = await openLinks(opening);
    const points = await openPoints(opening, state);
    const { store, board } = points;
    const bus = openBus(opening, links);
    const delivery = await openDelivery(opening, state, links);
    const book = await openAlerts(opening, { state, delivery, bus });
    const watch = openWatch(opening, { state, delivery, board, end: (isOver) => live.end(isOver) });
    const ingest = await openIngest(opening, { state, points, bus, book, links, watch });
    const read = createRead(isAlone(opening.config) ? ingest.rings : null, store);
    const live = openLive(opening, { state, bus, book, read });
    const platform = { state, links, store, board, delivery, book, ingest, read, live };
    await watch?.start();
    observe(opening, platform);
    return {
      providers: providersOf(opening, platform, () => draining.begun),
      edge: edgeOf(opening, platform, () => draining.begun),
      liveDoor: live.door,
      listening: () => delivery.clients.listening(),
      drain: async () => {
        draining.begun = true;
        await live.feed.close();
      },
      close: () => closeAll(closers),
    };
  });
}

/** Platform is everything that is open. */
interface Platform {
  readonly state: State;
  readonly links: Links | null;
  readonly store: PointStore;
  readonly board: BacklogBoard | null;
  readonly delivery: Delivery;
  readonly book: AlertBook;
  readonly ingest: IngestParts;
  readonly read: Read;
  readonly live: LiveParts;
}

/** What each controller works with. */
function providersOf(
  { config, clock, telemetry, version }: Opening,
  { state, links, store, board, delivery, book, ingest, read, live }: Platform,
  isDraining: () => boolean,
): Composition['providers'] {
  const query = new QueryDeps(read, store, book, clock, () => board?.pending().points ?? 0);
  const checks = checksOf(config, { store, state, links });
  const { channels, ensureProject } = state;
  return [
    LiveGateway,
    provide(IngestDoor, ingest.door),
    provide(Idempotency, ingest.idempotency),
    provide(QueryDeps, query),
    provide(ExportDeps, new ExportDeps(query, state.alerts)),
    provide(ModelsDeps, new ModelsDeps(state.directory, channels, clock)),
    provide(AlertsDeps, new AlertsDeps(book, state.alerts, state.deliveries, clock)),
    provide(
      ChannelsDeps,
      new ChannelsDeps(
        channels,
        delivery.vault,
        clock,
        randomBytes,
        delivery.test,
        ensureProject,
        (kind) => delivery.clients.want(kind),
        (project, id, options) => state.directory.afterRemoval(() => channels.remove(project, id, options)),
      ),
    ),
    provide(DeliveriesDeps, new DeliveriesDeps(state.deliveries, clock, () => delivery.wake())),
    provide(KeysDeps, new KeysDeps(state.keys, state.ring, clock, randomBytes, ensureProject, live.end)),
    provide(LiveFeed, live.feed),
    provide(LiveDoor, live.door),
    provide(Tickets, live.tickets),
    provide(HealthDeps, new HealthDeps(version, clock, isDraining, checks, () => board?.pending() ?? null)),
    provide(DocsDeps, new DocsDeps(version)),
    provide(Telemetry, telemetry),
  ];
}

/** What readiness depends on, and what only health tells of: without InfluxDB the spool takes points, without Redis rows wait. */
function checksOf(
  { influxUrl }: Config,
  { store, state, links }: Pick<Platform, 'store' | 'state' | 'links'>,
): HealthChecks {
  const needed = { state: async () => void (await state.projects.list()) };
  const points = () => store.ping();
  const redis = async () => {
    if (links && !links.producer.isUp) throw new Error('Redis is away');
  };
  if (influxUrl === null) return { needed: { store: points, ...needed }, beside: {} };
  return { needed, beside: { influxdb: points, ...(links ? { redis } : {}) } };
}

function provide<T>(token: abstract new (...args: never[]) => T, value: T): Provided {
  return { provide: token, useValue: value };
}

/** What every request passes. */
function edgeOf(opening: Opening, { state, links }: Platform, isDraining: () => boolean): EdgeDeps {
  const { config, log, telemetry } = opening;
  const allowedOrigins = originsOf(config);
  return { log, keys: state.ring, keyLimit: keyLimitOf(opening, links), telemetry, allowedOrigins, isDraining };
}

function keyLimitOf({ config, clock }: Opening, links: Links | null): KeyLimiter {
  const { keyRateLimit: perMinute } = config;
  const local = new KeyLimit(perMinute, clock.steadyMs);
  if (!links || perMinute === 0) return local;
  return new SharedKeyLimit({ link: links.producer, local, perMinute, steadyMs: clock.steadyMs });
}

/** Only where nobody else stores points does the memory of this process know the newest of them all. */
function isAlone({ databaseUrl }: Config): boolean {
  return databaseUrl === null;
}

/** What Tidemark counts about itself. */
function observe({ telemetry }: Opening, { state, store, delivery, book, ingest, live }: Platform): void {
  telemetry.start({
    queuedPoints: () => ingest.writer.queuedPoints,
    deliveriesWaiting: async () => (await state.deliveries.countByStatus()).pending,
    liveClients: () => live.feed.clients,
    alertsFiring: () => book.size,
    limitsForgotten: () => delivery.limitsForgotten(),
    store: () => store.stats(),
  });
}
