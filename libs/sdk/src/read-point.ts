import { NAMING, readTags, readValues } from './annotations.js';
import { isRecord } from './is-record.js';
import { uuid } from './uuid.js';

/** ModelType is the family of a model. */
export type ModelType = 'llm' | 'cv' | 'tabular';

/** InferencePoint is one inference as `record()` takes it. */
export interface InferencePoint {
  readonly modelId: string;
  readonly modelType: ModelType;
  /** latencyMs is 0 or more; below 0.001 it is sent as 0.001, since a latency of 0 is refused. */
  readonly latencyMs: number;
  /** requestId identifies the inference (a random UUID). */
  readonly requestId?: string | undefined;
  /** throughput in requests a second, above 0. */
  readonly throughput?: number | undefined;
  /** errorRate from 0 to 1; a single call has 0 or 1. */
  readonly errorRate?: number | undefined;
  /** resourceUsage are shares from 0 to 1. */
  readonly resourceUsage?:
    { readonly gpuMemory?: number; readonly cpuUsage?: number; readonly memoryUsage?: number } | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** values are custom metrics, finite numbers. */
  readonly values?: Readonly<Record<string, number>> | undefined;
  /** timestamp as epoch milliseconds, Date or RFC 3339 text (now). */
  readonly timestamp?: number | Date | string | undefined;
}

/** DriftPoint is one finding of drift as `drift()` takes it. */
export interface DriftPoint {
  readonly modelId: string;
  readonly driftType: 'data' | 'concept';
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  /** confidence from 0 to 1. */
  readonly confidence: number;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** timestamp as epoch milliseconds, Date or RFC 3339 text (now). */
  readonly timestamp?: number | Date | string | undefined;
}

/** ReadPoint is the JSON of a good point, or why it cannot be sent. */
export type ReadPoint = { readonly ok: true; readonly json: string } | { readonly ok: false; readonly message: string };

/** MIN_LATENCY_MS is sent for anything quicker, since a latency is above 0. */
export const MIN_LATENCY_MS = 0.001;

/** readInferencePoint checks what `record()` was given, whatever it is, and makes its JSON; it never throws. */
export function readInferencePoint(input: unknown, nowMs: number): ReadPoint {
  return read(input, (fields) => ({
    model_id: fields.text('modelId'),
    model_type: fields.text('modelType'),
    request_id: fields.absent('requestId') ? uuid() : fields.text('requestId'),
    latency: Math.max(MIN_LATENCY_MS, fields.number('latencyMs', 0, Infinity)),
    timestamp: fields.timestamp(nowMs),
    throughput: fields.absent('throughput') ? undefined : fields.number('throughput', Number.MIN_VALUE, Infinity),
    error_rate: fields.share('errorRate'),
    resource_usage: fields.absent('resourceUsage') ? undefined : readUsage(fields.inner('resourceUsage')),
    tags: fields.tags(),
    values: fields.values(),
  }));
}

/** readDriftPoint checks what `drift()` was given, whatever it is, and makes its JSON; it never throws. */
export function readDriftPoint(input: unknown, nowMs: number): ReadPoint {
  return read(input, (fields) => ({
    model_id: fields.text('modelId'),
    drift_type: fields.text('driftType'),
    severity: fields.text('severity'),
    confidence: fields.number('confidence', 0, 1),
    timestamp: fields.timestamp(nowMs),
    tags: fields.tags(),
  }));
}

function readUsage(usage: Fields): Record<string, number | undefined> {
  return {
    gpu_memory: usage.share('gpuMemory'),
    cpu_usage: usage.share('cpuUsage'),
    memory_usage: usage.share('memoryUsage'),
  };
}

function read(input: unknown, toWire: (fields: Fields) => Record<string, unknown>): ReadPoint {
  try {
    if (!isRecord(input)) return { ok: false, message: 'the point must be an object' };
    const faults: string[] = [];
    const wire = toWire(new Fields(input, faults));
    return faults.length === 0 ? { ok: true, json: JSON.stringify(wire) } : { ok: false, message: faults.join('; ') };
  } catch {
    // A getter or a proxy of the host's that throws.
    return { ok: false, message: 'the point cannot be read' };
  }
}

/** Fields reads one object's members and notes what is wrong with them; the faults name no value, only the member. */
class Fields {
  readonly #input: Readonly<Record<PropertyKey, unknown>>;
  readonly #faults: string[];

  constructor(input: Readonly<Record<PropertyKey, unknown>>, faults: string[]) {
    this.#input = input;
    this.#faults = faults;
  }

  absent(name: string): boolean {
    return this.#input[name] === undefined || this.#input[name] === null;
  }

  text(name: string): string {
    const value = this.#input[name];
    if (typeof value === 'string' && value !== '') return value;
    this.#faults.push(`${name} must be a non-empty string`);
    return '';
  }

  number(name: string, lowest: number, highest: number): number {
    const value = this.#input[name];
    if (typeof value === 'number' && Number.isFinite(value) && value >= lowest && value <= highest) return value;
    const range = lowest === Number.MIN_VALUE ? 'above 0' : `${String(lowest)} or more`;
    this.#faults.push(
      `${name} must be a number ${highest === Infinity ? range : `from ${String(lowest)} to ${String(highest)}`}`,
    );
    return 0;
  }

  share(name: string): number | undefined {
    return this.absent(name) ? undefined : this.number(name, 0, 1);
  }

  inner(name: string): Fields {
    const value = this.#input[name];
    if (!isRecord(value)) this.#faults.push(`${name} must be an object`);
    return new Fields(isRecord(value) ? value : {}, this.#faults);
  }

  timestamp(nowMs: number): number | string {
    const value = this.#input['timestamp'];
    if (value === undefined || value === null) return nowMs;
    if (typeof value === 'string' && value !== '') return value;
    const ms = value instanceof Date ? value.getTime() : value;
    if (typeof ms === 'number' && Number.isFinite(ms)) return ms;
    this.#faults.push('timestamp must be epoch milliseconds, a Date or RFC 3339 text');
    return nowMs;
  }

  tags(): Readonly<Record<string, string>> | undefined {
    const { entries, bad } = readTags(this.#input['tags']);
    if (bad > 0) this.#faults.push(`tags must be an object of strings, ${NAMING}`);
    return entries;
  }

  values(): Readonly<Record<string, number>> | undefined {
    const { entries, bad } = readValues(this.#input['values']);
    if (bad > 0) this.#faults.push(`values must be an object of finite numbers, ${NAMING}`);
    return entries;
  }
}
