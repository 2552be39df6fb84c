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
import {
  Alerts,
  type Channel,
  Channels,
  Deliveries,
  Keys,
  Models,
  openSqliteState,
  Outbox,
  Projects,
} from '@tidemark/state';
import type { Logger } from 'pino';
import { AlertBook } from './alerts/alert-book.js';
import { AlertKeeper } from './alerts/alert-keeper.js';
import { AlertsDeps } from './alerts/alerts.controller.js';
import { ChannelKinds } from './alerts/channel-kinds.js';
import { ChannelVault } from './alerts/channel-vault.js';
import { ChannelsDeps } from './alerts/channels.controller.js';
import { DeliveriesDeps } from './alerts/deliveries.controller.js';
import { createDeliveryReport } from './alerts/delivery-report.js';
import { notificationPayload } from './alerts/notification-payload.js';
import { testChannel } from './alerts/test-channel.js';
import { toWireAlert } from './alerts/wire.js';
import { BatchWriter } from './buffer/batch-writer.js';
import { Rings } from './buffer/rings.js';
import { type Config, isLoopback } from './config.js';
import { Idempotency } from './ingest/idempotency.js';
import { createIngest, type Stages } from './ingest/ingest.js';
import { IngestDoor } from './ingest/ingest-door.js';
import { ACTIVE_MS, SeriesRegistry } from './ingest/series-registry.js';
import { Validator } from './ingest/validate.js';
import { LiveDoor } from './live/live-door.js';
import { LiveFeed } from './live/live-feed.js';
import { LiveGateway } from './live/live.gateway.js';
import { MemoryBus } from './live/memory-bus.js';
import { Tickets } from './live/tickets.js';
import type { Clock } from './platform/clock.js';
import { DocsDeps } from './platform/docs.controller.js';
import type { EdgeDeps } from './platform/edge.js';
import { HealthDeps } from './platform/health.controller.js';
import { KeyLimit } from './platform/key-limit.js';
import { StoredKeys } from './platform/key-ring.js';
import { KeysDeps } from './platform/keys.controller.js';
import type { Principal } from './platform/principal.js';
import { ownFolder } from './platform/own-folder.js';
import { Telemetry } from './platform/telemetry.js';
import { ExportDeps } from './query/export.controller.js';
import { QueryDeps } from './query/query.controller.js';
import { createRead, type Read } from './query/read.js';
import { createRecentOfModels } from './query/recent-of-models.js';
import { evaluate, evaluateDrift } from './rules/evaluate.js';
import { ModelDirectory } from './rules/model-directory.js';
import { ModelsDeps } from './rules/models.controller.js';
import { SqliteStore } from './store/sqlite-store.js';
import { createWorkReport } from './store/work-report.js';

/** Composition is the platform, opened and wired, before anything listens. */
export interface Composition {
  /** What the controllers are given, by class: a value, or the class itself where Nest makes the one instance. */
  readonly providers: readonly (Provided | typeof LiveGateway)[];
  readonly edge: EdgeDeps;
  readonly liveDoor: LiveDoor;
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

/** Surroundings are what the platform is opened in. */
export interface Surroundings {
  readonly config: Config;
  readonly version: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** fatal is told when a thread that holds data died: the process cannot go on. */
  readonly fatal: (error: Error) => void;
}

/** compose opens every resource and wires every stage, left to right: the only place that names an adapter. */
export async function compose(surroundings: Surroundings): Promise<Composition> {
  const closers: Closer[] = [];
  const setting: Setting = { ...surroundings, telemetry: new Telemetry(), closeLast: (closer) => closers.push(closer) };
  let draining = false;
  try {
    const folder = ownFolder(setting.config.dataDir);
    setting.closeLast(async () => folder.release());
    setting.closeLast(async () => setting.telemetry.close());
    const state = await openState(setting);
    const store = await openStore(setting);
    const bus = openBus(setting);
    const delivery = await openDelivery(setting, state);
    const book = await openAlerts(setting, { state, delivery, bus });
    const ingest = await openIngest(setting, { state, store, bus, book });
    const read = createRead(ingest.rings, store);
    const live = openLive(setting, { state, bus, book, read });
    watch(setting, { state, store, book, ingest, live });

    const { clock, config, log, telemetry, version } = setting;
    const query = new QueryDeps(read, store, book, clock);
    const checks = { store: () => store.ping(), state: async () => void (await state.projects.list()) };
    const channels = new ChannelsDeps(
      state.channels,
      delivery.vault,
      clock,
      randomBytes,
      delivery.test,
      state.ensureProject,
    );
    return {
      providers: [
        LiveGateway,
        { provide: IngestDoor, useValue: ingest.door },
        { provide: Idempotency, useValue: ingest.idempotency },
        { provide: QueryDeps, useValue: query },
        { provide: ExportDeps, useValue: new ExportDeps(query, state.alerts) },
        { provide: ModelsDeps, useValue: new ModelsDeps(state.directory, state.channels, clock) },
        { provide: AlertsDeps, useValue: new AlertsDeps(book, state.alerts, state.deliveries, clock) },
        { provide: ChannelsDeps, useValue: channels },
        { provide: DeliveriesDeps, useValue: new DeliveriesDeps(state.deliveries, clock, () => delivery.queue.wake()) },
        {
          provide: KeysDeps,
          useValue: new KeysDeps(state.keys, state.ring, clock, randomBytes, state.ensureProject, live.end),
        },
        { provide: LiveFeed, useValue: live.feed },
        { provide: LiveDoor, useValue: live.door },
        { provide: Tickets, useValue: live.tickets },
        { provide: HealthDeps, useValue: new HealthDeps(version, clock, () => draining, checks) },
        { provide: DocsDeps, useValue: new DocsDeps(version) },
        { provide: Telemetry, useValue: telemetry },
      ],
      edge: {
        log,
        keys: state.ring,
        keyLimit: new KeyLimit(config.keyRateLimit, clock.steadyMs),
        telemetry,
        allowedOrigins: originsOf(config),
        isDraining: () => draining,
      },
      liveDoor: live.door,
      drain: async () => {
        draining = true;
        await live.feed.close();
      },
      close: () => closeAll(closers),
    };
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

type Closer = () => Promise<void>;

/** Setting is what every step is opened in; `closeLast` is told how to close what was opened, in that order. */
interface Setting extends Surroundings {
  readonly telemetry: Telemetry;
  readonly closeLast: (closer: Closer) => void;
}

/** Models, alerts, channels, deliveries and keys, in SQL. */
async function openState({ config, clock, fatal, closeLast }: Setting) {
  const state = await openSqliteState(join(config.dataDir, 'state.db'), { onDeath: fatal });
  closeLast(() => state.close());
  const projects = new Projects(state);
  const keys = new Keys(state);
  closeLast(() => keys.flushLastUsed());
  const ring = await StoredKeys.open(keys, clock);
  if (!isLoopback(config.host) && (await ring.isEmpty())) {
    throw new Error(
      `API_HOST: ${config.host} can be reached from elsewhere, and there is no API key yet; make one with: npm run keys -- create`,
    );
  }
  const directory = new ModelDirectory(new Models(state), projects);
  await directory.load();
  return {
    ...{ projects, keys, ring, directory },
    alerts: new Alerts(state),
    channels: new Channels(state),
    deliveries: new Deliveries(state),
    outbox: new Outbox(state),
    ensureProject: (project: string) => projects.ensure(project, clock.wallMs()),
  };
}
type State = Awaited<ReturnType<typeof openState>>;

/** Metrics, in columns, by series. */
async function openStore({ config, clock, log, telemetry, fatal, closeLast }: Setting): Promise<SqliteStore> {
  const file = join(config.dataDir, 'metrics.db');
  const on = { onDeath: fatal, onWork: createWorkReport(log, telemetry) };
  const store = await SqliteStore.open({ file, retention: config.retention, clock: clock.wallMs, ...on });
  closeLast(() => store.close());
  return store;
}

/** The side branch to whoever watches. */
function openBus({ log, closeLast }: Setting): MemoryBus {
  const bus = new MemoryBus((error) => log.error({ err: error }, 'a listener of the live bus failed'));
  closeLast(() => bus.close());
  return bus;
}

/** From the outbox, under the limits, to the channels. */
async function openDelivery({ config, clock, log, telemetry, closeLast }: Setting, state: State) {
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
  await kinds.load(state.projects);
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
  return { queue, kinds, test, vault: new ChannelVault(sealing.key, randomBytes) };
}
type Delivery = Awaited<ReturnType<typeof openDelivery>>;

/** Every firing alert, and the sweep over them. */
async function openAlerts(
  { config, clock, log, telemetry, closeLast }: Setting,
  { state, delivery, bus }: { state: State; delivery: Delivery; bus: MemoryBus },
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

/** validate -> write -> remember -> evaluate -> raise -> publish. */
async function openIngest(
  { config, clock, telemetry, closeLast }: Setting,
  { state, store, bus, book }: { state: State; store: SqliteStore; bus: MemoryBus; book: AlertBook },
) {
  const registry = new SeriesRegistry({ maxSeries: config.maxSeries });
  registry.load(await store.activeSeries(clock.wallMs() - ACTIVE_MS), clock.wallMs());
  const validator = new Validator({ registry, clock, maxAgeMs: config.retention.rawMs, lastSeq: store.lastSeq });
  const writer = new BatchWriter({
    write: (batch) => store.write(batch),
    maxBatchPoints: 10_000,
    maxQueuedPoints: config.maxQueuedPoints,
    steadyMs: clock.steadyMs,
    observe: (points, durationMs) => telemetry.countCommit(points, durationMs),
  });
  closeLast(() => writer.close());
  const rings = new Rings({ points: config.ringPoints, models: config.ringModels, newestStoredMs: store.newestMs });
  const stages: Stages = {
    validate: (project, kind, body) =>
      kind === 'inference' ? validator.inference(project, body) : validator.drift(project, body),
    write: (entry) => writer.append(entry),
    remember: (points) => rings.remember(points),
    evaluate: (points, drifts) => [...evaluate(points, state.directory.thresholdsOf), ...evaluateDrift(drifts)],
    raise: (breaches) => book.raise(breaches),
    publish: (project, points, drifts) => {
      if (points.length > 0) bus.publish({ kind: 'inference', project, items: points });
      if (drifts.length > 0) bus.publish({ kind: 'drift', project, items: drifts });
    },
    count: (kind, outcome, received) => telemetry.countIngest(kind, outcome, received),
  };
  const door = new IngestDoor(createIngest(stages), stages);
  const idempotency = new Idempotency({ find: (project, key) => store.findRecord(project, key), wallMs: clock.wallMs });
  return { door, idempotency, rings, writer };
}
type IngestParts = Awaited<ReturnType<typeof openIngest>>;

/** The live feed, over what was read and raised before. */
function openLive(
  { config, clock, log, telemetry, closeLast }: Setting,
  { state, bus, book, read }: { state: State; bus: MemoryBus; book: AlertBook; read: Read },
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
type LiveParts = ReturnType<typeof openLive>;

/** Pages that this server is known by elsewhere are its own. */
function originsOf({ allowedOrigins, publicUrl }: Config): readonly string[] {
  return publicUrl === null ? allowedOrigins : [...allowedOrigins, new URL(publicUrl).origin];
}

/** What Tidemark counts about itself. */
function watch(
  { telemetry }: Setting,
  parts: { state: State; store: SqliteStore; book: AlertBook; ingest: IngestParts; live: LiveParts },
): void {
  telemetry.start({
    queuedPoints: () => parts.ingest.writer.queuedPoints,
    deliveriesWaiting: async () => (await parts.state.deliveries.countByStatus()).pending,
    liveClients: () => parts.live.feed.clients,
    alertsFiring: () => parts.book.size,
    store: () => parts.store.stats(),
  });
}

/** A closer that fails must not keep the others from closing; the first failure is told when all had their turn. */
async function closeAll(closers: readonly Closer[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
