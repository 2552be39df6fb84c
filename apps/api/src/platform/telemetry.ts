import { Figures } from '@tidemark/program';
import type { IngestOutcome, Kind } from '../ingest/ingest.js';
import type { SpoolingSinkStats } from '../store/spool/spooling-sink.js';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

/** Gauges are read when /metrics is asked for, so that an idle server computes nothing. */
export interface Gauges {
  readonly queuedPoints: () => number;
  readonly deliveriesWaiting: () => Promise<number>;
  readonly liveClients: () => number;
  readonly alertsFiring: () => number;
  /** Counted by the limiter itself, from 0 at the start of the process. */
  readonly limitsForgotten: () => number;
  readonly store: () => Promise<{ readonly bytes: number; readonly points: number; readonly series: number }>;
}

/** Telemetry holds what Tidemark counts about itself, in Prometheus's terms. */
export class Telemetry {
  readonly registry = new Registry();
  private readonly figures = new Figures(this.registry);
  readonly received = this.counter('tidemark_points_received_total', 'Metrics received, by kind.', ['kind']);
  readonly stored = this.counter('tidemark_points_stored_total', 'Metrics stored durably, by kind.', ['kind']);
  readonly rejected = this.counter(
    'tidemark_points_rejected_total',
    'Metrics refused as not valid, by kind and code.',
    ['kind', 'code'],
  );
  readonly shed = this.counter(
    'tidemark_points_shed_total',
    'Metrics refused for lack of room or a failing store, by kind and reason.',
    ['kind', 'reason'],
  );
  readonly tooOldForAlerts = this.counter(
    'tidemark_points_too_old_for_alerts_total',
    'Metrics that were stored and raise nothing, as they are older than TIDEMARK_ALERT_MAX_AGE, by kind.',
    ['kind'],
  );
  readonly storeWorkFaults = this.counter(
    'tidemark_store_work_faults_total',
    'Slices of the work in the background of the point store that failed, by work: flush, retention.',
    ['work'],
  );
  readonly storeDamaged = this.counter(
    'tidemark_store_damaged_total',
    'What the embedded store could not read when it was to be moved on, by what: commit (kept aside), rollup (begun anew).',
    ['what'],
  );
  readonly deliveries = this.counter(
    'tidemark_deliveries_total',
    'Attempts to deliver, by kind of channel and outcome.',
    ['channel', 'outcome'],
  );
  readonly alertEvents = this.counter('tidemark_alert_events_total', 'Events of alerts, by event and severity.', [
    'event',
    'severity',
  ]);
  readonly liveDropped = this.counter(
    'tidemark_live_dropped_total',
    'Items that slow clients of the live feed lost.',
    [],
  );
  readonly busDropped = this.counter(
    'tidemark_bus_dropped_total',
    'Items of the live feed that did not reach the other instances, by kind.',
    ['kind'],
  );
  readonly commitSeconds = new Histogram({
    name: 'tidemark_commit_duration_seconds',
    help: 'Time of a durable write of points.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [this.registry],
  });
  readonly commitPoints = new Histogram({
    name: 'tidemark_commit_points',
    help: 'Points in a durable write.',
    buckets: [1, 10, 100, 1000, 5000, 10000],
    registers: [this.registry],
  });
  readonly requestSeconds = new Histogram({
    name: 'tidemark_http_request_duration_seconds',
    help: 'Time from a request to its answer, by method, route and status class.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers: [this.registry],
  });

  /** countIngest counts what became of a request's metrics: received = stored + rejected + shed. */
  countIngest(kind: Kind, outcome: IngestOutcome, received: number): void {
    this.received.inc({ kind }, received);
    const refused = 'rejected' in outcome ? outcome.rejected : [];
    const indexes = new Set<number>();
    for (const item of refused) {
      if (indexes.has(item.index)) continue;
      indexes.add(item.index);
      this.rejected.inc({ kind, code: item.code });
    }
    if (outcome.kind === 'accepted' || outcome.kind === 'unraised') this.stored.inc({ kind }, received - indexes.size);
    else if (outcome.kind !== 'invalid') this.shed.inc({ kind, reason: outcome.kind }, received - indexes.size);
  }

  /** countCommit counts a durable write: its points, and how long it took in ms. */
  countCommit(points: number, durationMs: number): void {
    this.commitSeconds.observe(durationMs / 1000);
    this.commitPoints.observe(points);
  }

  /** start begins to watch the process (event-loop lag, memory, file descriptors) and binds the gauges. */
  start(gauges: Gauges): void {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 50 });
    this.figures.gauge('tidemark_queued_points', 'Points waiting for the disk.', gauges.queuedPoints);
    this.figures.gauge('tidemark_deliveries_waiting', 'Deliveries not yet settled.', gauges.deliveriesWaiting);
    this.figures.gauge('tidemark_live_clients', 'Clients of the live feed.', gauges.liveClients);
    this.figures.gauge('tidemark_alerts_firing', 'Alerts that fire now.', gauges.alertsFiring);
    this.figures.total(
      'tidemark_delivery_limits_forgotten_total',
      'Windows of delivery limits that were forgotten while they ran, for lack of room.',
      gauges.limitsForgotten,
    );
    this.figures.gauge(
      'tidemark_store_bytes',
      'Size of the point store on disk.',
      async () => (await gauges.store()).bytes,
    );
    this.figures.gauge('tidemark_store_points', 'Points in the store.', async () => (await gauges.store()).points);
  }

  /** watchSpool shows what waits for the point server, and what became of lines that it does not take. */
  watchSpool(stats: () => SpoolingSinkStats): void {
    this.figures.gauge('tidemark_spool_points', 'Points that wait on disk for InfluxDB.', () => stats().points);
    this.figures.gauge('tidemark_spool_bytes', 'Bytes that the spool takes on disk.', () => stats().bytes);
    this.figures.gauge('tidemark_spool_oldest_seconds', 'Age of the oldest of them.', () => stats().oldestMs / 1000);
    this.figures.total(
      'tidemark_spool_torn_frames_total',
      'Batches that were found cut or altered.',
      () => stats().tornFrames,
    );
    this.figures.totals('tidemark_spool_dead_letter_lines_total', 'Lines that InfluxDB will never take, by reason.', {
      label: 'reason',
      read: () => stats().deadLetters.lines,
    });
    this.figures.total(
      'tidemark_spool_dead_letters_forgotten_total',
      'Such lines that are in no file any more.',
      () => stats().deadLetters.forgottenLines,
    );
    this.figures.totals('tidemark_spool_refused_writes_total', 'Writes that the spool had no room for, by code.', {
      label: 'code',
      read: () => stats().refusedWrites,
    });
  }

  /** watchAnswers shows how often it was not known whether an idempotent request had come before. */
  watchAnswers(unknown: () => number): void {
    this.figures.total(
      'tidemark_idempotency_unknown_total',
      'Requests with an Idempotency-Key of which InfluxDB could not be asked whether they came before.',
      unknown,
    );
  }

  /** close forgets all metrics. */
  close(): void {
    this.registry.clear();
  }

  private counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
