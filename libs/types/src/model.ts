import { type Static, Type } from '@sinclair/typebox';
import { MAX_ID_LENGTH, MODEL_TYPES, oneOf } from './metric.js';

/** ENVIRONMENTS are the places in which a model runs. */
export const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const;
/** Environment is where a model runs. */
export type Environment = (typeof ENVIRONMENTS)[number];

/** DEFAULT_THRESHOLDS hold for a model that names none: latency in ms, the others as shares. */
export const DEFAULT_THRESHOLDS = {
  latency: 1000,
  error_rate: 0.05,
  gpu_memory: 0.8,
  cpu_usage: 0.8,
  memory_usage: 0.8,
} as const;

/** DEFAULT_RESOLVE_AFTER_S is how long a model must be quiet before its alert resolves itself. */
export const DEFAULT_RESOLVE_AFTER_S = 300;
/** DEFAULT_REPEAT_INTERVAL_S is the time between reminders of an alert that fires unacknowledged. */
export const DEFAULT_REPEAT_INTERVAL_S = 4 * 3600;

const share = (byDefault: number, what: string) =>
  Type.Number({ minimum: 0, maximum: 1, default: byDefault, description: `${what}; a value above it is a breach.` });

/** ThresholdsSchema are a model's limits; a breach is a value strictly above. */
export const ThresholdsSchema = Type.Object(
  {
    latency: Type.Number({ exclusiveMinimum: 0, default: DEFAULT_THRESHOLDS.latency, description: 'ms.' }),
    error_rate: share(DEFAULT_THRESHOLDS.error_rate, 'Share of failed requests'),
    gpu_memory: share(DEFAULT_THRESHOLDS.gpu_memory, 'Share of GPU memory in use'),
    cpu_usage: share(DEFAULT_THRESHOLDS.cpu_usage, 'Share of CPU in use'),
    memory_usage: share(DEFAULT_THRESHOLDS.memory_usage, 'Share of memory in use'),
  },
  { title: 'Thresholds' },
);
/** Thresholds are a model's limits. */
export type Thresholds = Static<typeof ThresholdsSchema>;

/** ModelSchema is a registered model as it is read back. */
export const ModelSchema = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: MAX_ID_LENGTH }),
    name: Type.String({ minLength: 1, maxLength: MAX_ID_LENGTH }),
    model_type: oneOf(MODEL_TYPES, 'The kind of model.'),
    version: Type.String({ minLength: 1, maxLength: MAX_ID_LENGTH }),
    environment: oneOf(ENVIRONMENTS, 'Where it runs.'),
    thresholds: ThresholdsSchema,
    resolve_after: Type.Integer({
      minimum: 1,
      maximum: 604800,
      default: DEFAULT_RESOLVE_AFTER_S,
      description: 'Seconds without a breach after which an alert resolves itself.',
    }),
    repeat_interval: Type.Integer({
      minimum: 60,
      maximum: 2592000,
      default: DEFAULT_REPEAT_INTERVAL_S,
      description: 'Seconds between reminders while an alert fires and nobody acknowledged it.',
    }),
    channels: Type.Unsafe<string[] | null>({
      type: ['array', 'null'],
      items: { type: 'string' },
      maxItems: 32,
      default: null,
      description: 'Ids of the channels to notify; every enabled channel of the project when null.',
    }),
  },
  { title: 'Model' },
);
/** Model is a registered model as it is read back. */
export type Model = Static<typeof ModelSchema>;

/** A member that a registration may leave out, or give as null, which is the same. */
function maybe<T>({ type, ...rest }: { readonly type: string }) {
  return Type.Optional(Type.Unsafe<T | null>({ ...rest, type: [type, 'null'] }));
}

const { resolve_after, repeat_interval, channels } = ModelSchema.properties;
const limits = ThresholdsSchema.properties;

/** ModelRegistrationSchema is what a client sends to register a model. */
export const ModelRegistrationSchema = Type.Object(
  {
    ...Type.Pick(ModelSchema, ['id', 'name', 'model_type', 'version', 'environment']).properties,
    thresholds: Type.Optional(
      Type.Unsafe<Partial<Record<keyof Thresholds, number | null>> | null>({
        type: ['object', 'null'],
        properties: {
          latency: maybe<number>(limits.latency),
          error_rate: maybe<number>(limits.error_rate),
          gpu_memory: maybe<number>(limits.gpu_memory),
          cpu_usage: maybe<number>(limits.cpu_usage),
          memory_usage: maybe<number>(limits.memory_usage),
        },
        description: 'Limits; a missing one takes its default.',
      }),
    ),
    resolve_after: maybe<number>(resolve_after),
    repeat_interval: maybe<number>(repeat_interval),
    channels: Type.Optional(channels),
  },
  { title: 'ModelRegistration' },
);
/** ModelRegistration is what a client sends to register a model. */
export type ModelRegistration = Static<typeof ModelRegistrationSchema>;
