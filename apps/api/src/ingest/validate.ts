import {
  type DriftMetric,
  DriftMetricSchema,
  type InferenceMetric,
  InferenceMetricSchema,
  type ItemFault,
  type RejectedItem,
} from '@tidemark/types';
import type { Clock } from '@tidemark/program';
import type { DriftPoint, Point } from '../store/point-store.js';
import { MalformedItem, type MetricBody } from './body.js';
import { coerceNumbers } from './coerce.js';
import { FIRST_UNSAFE } from './exact-numbers.js';
import { PlainBatchReader } from './plain-batch.js';
import { compileSchema, type SchemaCheck } from './schema-check.js';
import { isBadText, nameFault, type SeriesRegistry, textFault } from './series-registry.js';
import { readTimestamp, type TimestampBounds } from './timestamp.js';

/** Validated is what became of the items of a request: points in order of arrival, and the faults by index. */
export interface Validated {
  readonly points: readonly Point[];
  readonly drifts: readonly DriftPoint[];
  readonly rejected: readonly RejectedItem[];
  /** Items that the request brought. */
  readonly received: number;
}

/** ValidatorDeps are what validation needs to know. */
export interface ValidatorDeps {
  readonly registry: SeriesRegistry;
  readonly clock: Clock;
  /** ms; older points are refused. */
  readonly maxAgeMs: number;
  /** Highest sequence number given before; the next point gets the next one. */
  readonly lastSeq: number;
}

const NO_TAGS: Readonly<Record<string, string>> = Object.freeze({});

/** Validator turns the items of a request into points, and says of each item that is none what was wrong and where. */
export class Validator {
  private readonly inferenceSchema = compileSchema<InferenceMetric>(InferenceMetricSchema);
  private readonly driftSchema = compileSchema<DriftMetric>(DriftMetricSchema);
  private readonly knownNames = new Set<string>();
  private readonly plain: PlainBatchReader;
  private seq: number;

  constructor(private readonly deps: ValidatorDeps) {
    this.seq = deps.lastSeq;
    this.plain = new PlainBatchReader(deps.registry, (values) => this.valuesFault(values) === null);
  }

  /** lastSeq is the highest sequence number that was given. */
  get lastSeq(): number {
    return this.seq;
  }

  /** inference validates inference metrics of a project. */
  inference(project: string, body: MetricBody): Validated {
    const points: Point[] = [];
    const rejected: RejectedItem[] = [];
    const bounds = this.bounds();
    const plain = body.source && this.plain.read(body.source, { project, bounds }, this.seq);
    if (plain) {
      this.seq += plain.length;
      return { points: plain, drifts: [], rejected, received: plain.length };
    }
    for (let index = 0; index < body.items.length; index++) {
      const metric = this.read(this.inferenceSchema, body, index, rejected, hasUnsafeNumber);
      if (!metric) continue;
      const point = this.toPoint(project, metric, bounds);
      if ('code' in point) rejected.push({ index, ...point });
      else points.push(point);
    }
    return { points, drifts: [], rejected, received: body.items.length };
  }

  /** drift validates drift metrics of a project. */
  drift(project: string, body: MetricBody): Validated {
    const drifts: DriftPoint[] = [];
    const rejected: RejectedItem[] = [];
    const bounds = this.bounds();
    for (let index = 0; index < body.items.length; index++) {
      const metric = this.read(this.driftSchema, body, index, rejected, () => false);
      if (!metric) continue;
      const point = this.toDrift(project, metric, bounds);
      if ('code' in point) rejected.push({ index, ...point });
      else drifts.push(point);
    }
    return { points: [], drifts, rejected, received: body.items.length };
  }

  private read<T>(
    schema: SchemaCheck<T>,
    body: MetricBody,
    index: number,
    rejected: RejectedItem[],
    isSuspect: (metric: T) => boolean,
  ): T | null {
    const item = body.items[index];
    if (schema.accepts(item) && !isSuspect(item)) return item;
    if (item instanceof MalformedItem) {
      rejected.push({ index, ...item.fault });
      return null;
    }
    const coerced = coerceNumbers(body.exactItem(index));
    if (coerced.faults.length === 0 && schema.accepts(coerced.item)) return coerced.item;
    const faults = coerced.faults.length > 0 ? coerced.faults : schema.faults(coerced.item);
    for (const fault of faults) rejected.push({ index, ...fault });
    return null;
  }

  private toPoint(project: string, metric: InferenceMetric, bounds: TimestampBounds): Point | ItemFault {
    if (isBadText(metric.request_id)) return badText('/request_id');
    const values = metric.values ?? null;
    const fault = values && this.valuesFault(values);
    if (fault) return fault;
    const time = readTimestamp(metric.timestamp, bounds);
    if (!time.ok) return { pointer: '/timestamp', code: time.code, message: time.message };
    const found = this.deps.registry.resolve(project, metric, bounds.nowMs);
    if (!found.ok) return found.fault;
    const usage = metric.resource_usage;
    return {
      series: found.series,
      seq: ++this.seq,
      timestampMs: time.ms,
      requestId: metric.request_id,
      latency: metric.latency,
      throughput: metric.throughput ?? null,
      errorRate: metric.error_rate ?? null,
      gpuMemory: usage?.gpu_memory ?? null,
      cpuUsage: usage?.cpu_usage ?? null,
      memoryUsage: usage?.memory_usage ?? null,
      values,
    };
  }

  private toDrift(project: string, metric: DriftMetric, bounds: TimestampBounds): DriftPoint | ItemFault {
    const fault = textFault(metric);
    if (fault) return fault;
    const time = readTimestamp(metric.timestamp, bounds);
    if (!time.ok) return { pointer: '/timestamp', code: time.code, message: time.message };
    return {
      project,
      seq: ++this.seq,
      timestampMs: time.ms,
      modelId: metric.model_id,
      driftType: metric.drift_type,
      severity: metric.severity,
      confidence: metric.confidence,
      tags: metric.tags ?? NO_TAGS,
    };
  }

  private valuesFault(values: Readonly<Record<string, number>>): ItemFault | null {
    for (const name in values) {
      if (this.knownNames.has(name)) continue;
      const fault = nameFault('/values', name);
      if (fault) return fault;
      if (this.knownNames.size > 10_000) this.knownNames.clear();
      this.knownNames.add(name);
    }
    return null;
  }

  private bounds(): TimestampBounds {
    return { nowMs: this.deps.clock.wallMs(), maxAgeMs: this.deps.maxAgeMs };
  }
}

function hasUnsafeNumber(metric: InferenceMetric): boolean {
  if (metric.latency >= FIRST_UNSAFE || (metric.throughput ?? 0) >= FIRST_UNSAFE) return true;
  for (const name in metric.values) if (Math.abs(metric.values[name] ?? 0) >= FIRST_UNSAFE) return true;
  return false;
}

function badText(pointer: string): ItemFault {
  return { pointer, code: 'bad_text', message: 'the text holds a control character or half of a surrogate pair' };
}
