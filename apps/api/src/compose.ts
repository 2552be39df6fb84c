import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Provider } from '@nestjs/common';
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
import { Alerts, Channels, Deliveries, Keys, Models, openSqliteState, Outbox, Projects } from '@tidemark/state';
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
import { MAX_FUTURE_MS } from './ingest/timestamp.js';
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
import { Telemetry } from './platform/telemetry.js';
import { ExportDeps } from './query/export.controller.js';
import { QueryDeps } from './query/query.controller.js';
import { createRead } from './query/read.js';
import { createRecentOfModels } from './query/recent-of-models.js';
import { evaluate, evaluateDrift } from './rules/evaluate.js';
import { ModelDirectory } from './rules/model-directory.js';
import { ModelsDeps } from './rules/models.controller.js';
import { SqliteStore } from './store/sqlite-store.js';

/** Composition is the platform, opened and wired, before anything listens. */
export interface Composition {
  readonly providers: Provider[];
  readonly edge: EdgeDeps;
  readonly liveDoor: LiveDoor;
  /** drain makes readiness fail and new requests be refused, and says goodbye to the clients of the live feed. */
  readonly drain: () => Promise<void>;
  /** close ends everything, last opened first. */
  readonly close: () => Promise<void>;
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
export async function compose({ config, version, log, clock, fatal }: Surroundings): Promise<Composition> {
  const closers: (() => Promise<void>)[] = [];
  let draining = false;
  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
    chmodSync(config.dataDir, 0o700);
    const telemetry = new Telemetry();
    closers.push(async () => telemetry.close());

    // state: models, alerts, channels, deliveries, keys
    const state = await openSqliteState(join(config.dataDir, 'state.db'), { onDeath: fatal });
    closers.push(() => state.close());
    const projects = new Projects(state);
    const channels = new Channels(state);
    const deliveries = new Deliveries(state);
    const alerts = new Alerts(state);
    const keys = new Keys(state);
    closers.push(() => keys.flushLastUsed());
    const ring = await StoredKeys.open(keys, clock);
    if (!isLoopback(config.host) && ring.isEmpty()) {
      throw new Error(
        `API_HOST: ${config.host} can be reached from elsewhere, and there is no API key yet; make one with: npm run keys -- create`,
      );
    }
    const directory = new ModelDirectory(new Models(state), projects);
    await directory.load();
    const ensureProject = (project: string) => projects.ensure(project, clock.wallMs());

    // store: metrics, in columns, by series
    const { retention } = config;
    const store = await SqliteStore.open({
      file: join(config.dataDir, 'metrics.db'),
      retention,
      clock: clock.wallMs,
      onDeath: fatal,
    });
    closers.push(() => store.close());

    // live: the side branch
    const bus = new MemoryBus((error) => log.error({ err: error }, 'a listener of the live bus failed'));
    closers.push(() => bus.close());

    // delivery
    const guard = createAddressGuard(config.allowedTargets);
    const http = openSafeFetch({ guard, resolve: systemResolve });
    closers.push(() => http.close());
    const sealing = await loadOrCreateKey({
      ...(config.secret ? { secret: config.secret } : {}),
      file: join(config.dataDir, 'secret.key'),
    });
    if (!sealing.ok) throw new Error(sealing.reason);
    const vault = new ChannelVault(sealing.key, randomBytes);
    const mail = config.smtp ? { mail: { server: config.smtp, from: config.emailFrom } } : {};
    const open = { http, guard, resolve: systemResolve, now: clock.wallMs, ...mail };
    const channelDirectory = new ChannelDirectory({ channels, key: sealing.key, deps: open });
    closers.push(() => channelDirectory.close());
    const kinds = new ChannelKinds(channels);
    await kinds.load(projects);
    const outbox = new Outbox(state);
    const limiter = new MemoryLimiter({ now: clock.steadyMs });
    const limits = DEFAULT_DELIVERY_LIMITS;
    await seedLimiter(limiter, outbox, { limits, nowMs: clock.wallMs() });
    const queue = new OutboxQueue({
      outbox,
      deliver: { limiter, limits, find: (project, channelId) => channelDirectory.find(project, channelId) },
      disable: (project, channelId, change) => channelDirectory.disable(project, channelId, change),
      wall: clock.wallMs,
      monotonic: clock.steadyMs,
      random: Math.random,
      report: createDeliveryReport(log, telemetry, (channelId) => kinds.kindOf(channelId)),
    });
    await queue.start();
    closers.push(async () => void (await queue.stop(config.drainMs)));

    // alerts
    const book = new AlertBook({
      alerts,
      clock,
      random: randomBytes,
      timingOf: (project, modelId) => directory.timingOf(project, modelId),
      channelsFor: async (project, modelId) => {
        const wanted = directory.get(project, modelId)?.channelIds ?? null;
        const enabled = (await kinds.list(project)).filter((channel) => channel.enabled);
        return enabled.filter(({ id }) => wanted === null || wanted.includes(id)).map(({ id }) => id);
      },
      payload: (alert, event) => notificationPayload(alert, event, config.publicUrl),
      committed: (alert, events) => {
        for (const event of events) telemetry.alertEvents.inc({ event: event.kind, severity: event.severity });
        bus.publish({ kind: 'alert', project: alert.project, items: [toWireAlert(alert)] });
        queue.wake();
      },
    });
    await book.load();
    const keeper = new AlertKeeper(book, log);
    keeper.start();
    closers.push(() => keeper.close());

    // ingest: validate -> write -> remember -> evaluate -> raise -> publish
    const registry = new SeriesRegistry({ maxSeries: config.maxSeries });
    registry.load(await store.activeSeries(clock.wallMs() - ACTIVE_MS), clock.wallMs());
    const validator = new Validator({ registry, clock, maxAgeMs: retention.rawMs, lastSeq: store.lastSeq });
    const writer = new BatchWriter({
      write: (batch) => store.write(batch),
      maxBatchPoints: 10_000,
      maxQueuedPoints: config.maxQueuedPoints,
      steadyMs: clock.steadyMs,
      observe: (points, durationMs) => {
        telemetry.commitSeconds.observe(durationMs / 1000);
        telemetry.commitPoints.observe(points);
      },
    });
    closers.push(() => writer.close());
    const rings = new Rings({
      points: config.ringPoints,
      models: config.ringModels,
      newestStoredMs: clock.wallMs() + MAX_FUTURE_MS,
    });
    const stages: Stages = {
      validate: (project, kind, body) =>
        kind === 'inference' ? validator.inference(project, body) : validator.drift(project, body),
      write: (entry) => writer.append(entry),
      remember: (points) => rings.remember(points),
      evaluate: (points, drifts) => [...evaluate(points, directory.thresholdsOf), ...evaluateDrift(drifts)],
      raise: (breaches) => book.raise(breaches),
      publish: (project, points, drifts) => {
        if (points.length > 0) bus.publish({ kind: 'inference', project, items: points });
        if (drifts.length > 0) bus.publish({ kind: 'drift', project, items: drifts });
      },
      count: (kind, outcome, received) => telemetry.countIngest(kind, outcome, received),
    };
    const door = new IngestDoor(createIngest(stages), stages);
    const idempotency = new Idempotency({
      find: (project, key) => store.findRecord(project, key),
      wallMs: clock.wallMs,
    });

    // the live feed, over what was read and raised before
    const read = createRead(rings, store);
    const recent = createRecentOfModels(read, clock.wallMs);
    const feed = new LiveFeed({
      bus,
      recent,
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
    closers.push(() => feed.close());
    const tickets = new Tickets({ steadyMs: clock.steadyMs, randomBytes });
    const liveDoor = new LiveDoor({
      keys: ring,
      tickets,
      allowedOrigins: config.allowedOrigins,
      maxClients: config.liveClients,
      feed,
    });

    telemetry.start({
      queuedPoints: () => writer.queuedPoints,
      deliveriesWaiting: async () => (await deliveries.countByStatus()).pending,
      liveClients: () => feed.clients,
      alertsFiring: () => book.size,
      store: () => store.stats(),
    });

    const query = new QueryDeps(read, store, book, clock);
    const health = new HealthDeps(version, clock, () => draining, {
      store: () => store.ping(),
      state: async () => void (await projects.list()),
    });
    return {
      providers: [
        LiveGateway,
        { provide: LiveFeed, useValue: feed },
        { provide: LiveDoor, useValue: liveDoor },
        { provide: Tickets, useValue: tickets },
        { provide: IngestDoor, useValue: door },
        { provide: Idempotency, useValue: idempotency },
        { provide: QueryDeps, useValue: query },
        { provide: ExportDeps, useValue: new ExportDeps(query, alerts) },
        { provide: ModelsDeps, useValue: new ModelsDeps(directory, channels, clock) },
        { provide: AlertsDeps, useValue: new AlertsDeps(book, alerts, deliveries, clock) },
        {
          provide: ChannelsDeps,
          useValue: new ChannelsDeps(
            channels,
            vault,
            clock,
            randomBytes,
            (channel) =>
              testChannel(channel, { directory: channelDirectory, random: randomBytes, wallMs: clock.wallMs }),
            ensureProject,
          ),
        },
        { provide: DeliveriesDeps, useValue: new DeliveriesDeps(deliveries, clock, () => queue.wake()) },
        { provide: KeysDeps, useValue: new KeysDeps(keys, ring, clock, randomBytes, ensureProject) },
        { provide: HealthDeps, useValue: health },
        { provide: DocsDeps, useValue: new DocsDeps(version) },
        { provide: Telemetry, useValue: telemetry },
      ],
      edge: {
        log,
        keys: ring,
        keyLimit: new KeyLimit(config.keyRateLimit, clock.steadyMs),
        telemetry,
        allowedOrigins: config.allowedOrigins,
        isDraining: () => draining,
      },
      liveDoor,
      drain: async () => {
        draining = true;
        await feed.close();
      },
      close: () => closeAll(closers),
    };
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

/** A closer that fails must not keep the others from closing; the first failure is told when all had their turn. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
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
