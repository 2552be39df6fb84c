import { Figures } from '@tidemark/program';
import { collectDefaultMetrics, Counter, Registry } from 'prom-client';

/** Gauges are read when /metrics is asked for. */
export interface Gauges {
  /** Deliveries that are being sent. */
  readonly sending: () => number;
  /** Jobs that wait for a worker; null while nobody can know. */
  readonly queueDepth: () => number | null;
  /** When a job was last taken or ended, UTC epoch s. */
  readonly progressS: () => number;
  /** Takes of a limit that were decided here because Redis was away. */
  readonly localLimits: () => number;
  /** Windows of limits that were forgotten while they ran. */
  readonly limitsForgotten: () => number;
}

/** Telemetry holds what a worker counts about itself, in Prometheus's terms. */
export class Telemetry {
  readonly registry = new Registry();
  readonly deliveries = new Counter({
    name: 'tidemark_deliveries_total',
    help: 'Attempts to deliver, by kind of channel and outcome.',
    labelNames: ['channel', 'outcome'],
    registers: [this.registry],
  });

  /** start begins to watch the process and binds the gauges. */
  start(gauges: Gauges): void {
    const figures = new Figures(this.registry);
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 50 });
    figures.gauge('tidemark_deliveries_sending', 'Deliveries that this worker is sending.', gauges.sending);
    figures.gauge('tidemark_queue_depth', 'Jobs that wait for a worker.', () => gauges.queueDepth() ?? NaN);
    figures.gauge(
      'tidemark_worker_progress_timestamp_seconds',
      'When this worker last took or ended a job, in Unix time.',
      gauges.progressS,
    );
    figures.total(
      'tidemark_local_limits_total',
      'Limits that this worker decided by itself because Redis was away.',
      gauges.localLimits,
    );
    figures.total(
      'tidemark_delivery_limits_forgotten_total',
      'Windows of delivery limits that were forgotten while they ran, for lack of room.',
      gauges.limitsForgotten,
    );
  }
}
