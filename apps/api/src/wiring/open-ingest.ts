import { FaultEpisode } from '@tidemark/program';
import { Writers } from '@tidemark/state';
import type { AlertBook } from '../alerts/alert-book.js';
import { BatchWriter } from '../buffer/batch-writer.js';
import { Rings } from '../buffer/rings.js';
import { Idempotency } from '../ingest/idempotency.js';
import { RedisFlights } from '../ingest/redis-flights.js';
import { createIngest, type Kind, type Stages } from '../ingest/ingest.js';
import type { MetricBody } from '../ingest/body.js';
import { IngestDoor } from '../ingest/ingest-door.js';
import { SeriesRegistry } from '../ingest/series-registry.js';
import { SharedSeries } from '../ingest/shared-series.js';
import { type Validated, Validator } from '../ingest/validate.js';
import type { LiveBus } from '../live/live-bus.js';
import { countOlder, evaluate, evaluateDrift } from '../rules/evaluate.js';
import type { ChangeWatch } from '../platform/change-watch.js';
import type { PointStore } from '../store/point-store.js';
import { SeqReserve } from '../store/seq-reserve.js';
import { loadSeries } from './load-series.js';
import type { Links } from './open-links.js';
import type { Points } from './open-points.js';
import type { State } from './open-state.js';
import type { Opening } from './surroundings.js';

interface Parts {
  readonly state: State;
  readonly points: Points;
  readonly bus: LiveBus;
  readonly book: AlertBook;
  readonly links: Links | null;
  readonly watch: ChangeWatch | null;
}

/** openIngest strings together validate -> write -> remember -> evaluate -> raise -> publish. */
export async function openIngest(opening: Opening, { state, points, bus, book, links, watch }: Parts) {
  const { config, clock, telemetry, closeLast } = opening;
  const { store } = points;
  const registry = new SeriesRegistry({ maxSeries: config.maxSeries });
  await loadSeries(opening, { registry, store });
  const reserve = await openReserve(opening, state, points);
  const lastSeq = reserve?.lastSeq ?? store.lastSeq;
  const validator = new Validator({ registry, clock, maxAgeMs: config.retention.rawMs, lastSeq });
  reserve?.follow(() => validator.lastSeq);
  const writer = new BatchWriter({
    write: (batch) => store.write(batch),
    maxBatchPoints: 10_000,
    concurrency: points.concurrency,
    maxQueuedPoints: config.maxQueuedPoints,
    steadyMs: clock.steadyMs,
    observe: (points, durationMs) => telemetry.countCommit(points, durationMs),
  });
  closeLast(() => writer.close());
  const rings = new Rings({ points: config.ringPoints, models: config.ringModels, newestStoredMs: store.newestMs });
  const validate = (project: string, kind: Kind, body: MetricBody): Validated =>
    kind === 'inference' ? validator.inference(project, body) : validator.drift(project, body);
  const shared = watch && openSharedSeries(opening, { registry, store });
  const stages: Stages = {
    validate: shared
      ? async (...request) => {
          const validated = validate(...request);
          return isLimited(validated) && (await shared.learn()) ? validate(...request) : validated;
        }
      : validate,
    // What another instance was told of a model before these points came must count for them.
    write: watch
      ? async (entry) => (await Promise.all([writer.append(entry), watch.fresh()]))[0]
      : (entry) => writer.append(entry),
    remember: (points) => rings.remember(points),
    evaluate: (points, drifts) => {
      const sinceMs = clock.wallMs() - config.alertMaxAgeMs;
      telemetry.tooOldForAlerts.inc({ kind: 'inference' }, countOlder(points, sinceMs));
      telemetry.tooOldForAlerts.inc({ kind: 'drift' }, countOlder(drifts, sinceMs));
      return [...evaluate(points, state.directory.thresholdsOf, sinceMs), ...evaluateDrift(drifts, sinceMs)];
    },
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
    ...(links ? { shared: new RedisFlights({ link: links.producer }) } : {}),
  });
  return { door, idempotency, rings, writer };
}

/** What other instances took of the series of a project is read when it has no room for another. */
function openSharedSeries(
  { clock, log, closeLast }: Opening,
  { registry, store }: { readonly registry: SeriesRegistry; readonly store: PointStore },
): SharedSeries {
  const shared = new SharedSeries({
    ...{ registry, read: (sinceMs) => store.activeSeries(sinceMs), wallMs: clock.wallMs, steadyMs: clock.steadyMs },
    onFault: (error) =>
      log.warn({ err: error }, 'the series of other instances cannot be read; some may be refused here'),
  });
  closeLast(() => shared.close());
  return shared;
}

function isLimited({ rejected }: Validated): boolean {
  return rejected.some(({ code }) => code === 'series_limit');
}

/** Of several instances none knows what the others count: the time of its start sets each above its own earlier lives. */
async function openReserve(
  { clock, log, closeLast }: Opening,
  { database }: State,
  { store, slot }: Points,
): Promise<SeqReserve | null> {
  if (slot === null) return null;
  const leastSeq = Math.max(store.lastSeq, clock.wallMs() * 1000);
  const reserve = await SeqReserve.open({
    ...{ book: new Writers(database), slot, leastSeq },
    reserving: new FaultEpisode(log, {
      began: 'numbers for points could not be reserved; there are enough for now',
      ended: 'numbers for points are reserved again',
    }),
  });
  closeLast(async () => reserve.close());
  return reserve;
}

/** IngestParts are the path of a metric and what reads use of it. */
export type IngestParts = Awaited<ReturnType<typeof openIngest>>;
