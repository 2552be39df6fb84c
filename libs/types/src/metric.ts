import { type Static, Type } from '@sinclair/typebox';

/** MODEL_TYPES are the kinds of model that send metrics. */
export const MODEL_TYPES = ['llm', 'cv', 'tabular'] as const;
/** DRIFT_TYPES are the kinds of drift that can be reported. */
export const DRIFT_TYPES = ['data', 'concept'] as const;
/** SEVERITIES in rising order. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

/** ModelType is the kind of a model. */
export type ModelType = (typeof MODEL_TYPES)[number];
/** DriftType is the kind of a drift. */
export type DriftType = (typeof DRIFT_TYPES)[number];
/** Severity of an alert or a drift, low < medium < high < critical. */
export type Severity = (typeof SEVERITIES)[number];

/** MAX_TAGS is the most tags that a metric may carry. */
export const MAX_TAGS = 16;
/** MAX_VALUES is the most custom values that a metric may carry. */
export const MAX_VALUES = 32;
/** MAX_BATCH_ITEMS is the most metrics that a batch may hold. */
export const MAX_BATCH_ITEMS = 10_000;
/** MAX_ID_LENGTH bounds model ids, request ids and the values of tags, in UTF-16 units. */
export const MAX_ID_LENGTH = 256;
/** MAX_NAME_LENGTH bounds the names of tags and custom values, in UTF-16 units. */
export const MAX_NAME_LENGTH = 64;

/** oneOf is a string schema that allows only the given words. */
export function oneOf<T extends string>(words: readonly T[], description: string) {
  return Type.Unsafe<T>({ type: 'string', enum: [...words], description });
}

function optionalNumber(bounds: Record<string, number>, description: string) {
  return Type.Optional(Type.Unsafe<number | null>({ type: ['number', 'null'], ...bounds, description }));
}

const ratio = { minimum: 0, maximum: 1 };
const modelId = Type.String({
  minLength: 1,
  maxLength: MAX_ID_LENGTH,
  description: 'The model that the metric is of.',
});
const tags = Type.Optional(
  Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: { type: 'string', maxLength: MAX_ID_LENGTH },
    maxProperties: MAX_TAGS,
    description: `Up to ${MAX_TAGS} labels, each of few different values; every combination is a series of its own.`,
  }),
);
const timestamp = Type.Optional(
  Type.Unsafe<string | number | null>({
    type: ['string', 'number', 'null'],
    description:
      'RFC 3339 or epoch milliseconds, UTC when without a zone; the time of arrival when absent. What is older than TIDEMARK_ALERT_MAX_AGE (a day) is stored and raises no alert.',
  }),
);

/** InferenceMetricSchema is one inference as a client sends it. */
export const InferenceMetricSchema = Type.Object(
  {
    model_id: modelId,
    model_type: oneOf(MODEL_TYPES, 'The kind of model.'),
    request_id: Type.String({
      minLength: 1,
      maxLength: MAX_ID_LENGTH,
      description: "The client's name for the request.",
    }),
    latency: Type.Number({ exclusiveMinimum: 0, description: 'Duration of the inference in ms.' }),
    throughput: optionalNumber({ exclusiveMinimum: 0 }, 'Requests per second.'),
    error_rate: optionalNumber(ratio, 'Share of failed requests, 0 to 1.'),
    resource_usage: Type.Optional(
      Type.Unsafe<ResourceUsage | null>({
        type: ['object', 'null'],
        properties: {
          gpu_memory: { type: ['number', 'null'], ...ratio },
          cpu_usage: { type: ['number', 'null'], ...ratio },
          memory_usage: { type: ['number', 'null'], ...ratio },
        },
        description: 'Shares of GPU memory, CPU and memory in use, 0 to 1.',
      }),
    ),
    tags,
    values: Type.Optional(
      Type.Unsafe<Record<string, number> | null>({
        type: ['object', 'null'],
        additionalProperties: { type: 'number' },
        maxProperties: MAX_VALUES,
        description: `Up to ${MAX_VALUES} metrics of your own by name: any finite number.`,
      }),
    ),
    timestamp,
  },
  { title: 'InferenceMetric' },
);

/** ResourceUsage holds shares from 0 to 1. */
export interface ResourceUsage {
  readonly gpu_memory?: number | null;
  readonly cpu_usage?: number | null;
  readonly memory_usage?: number | null;
}

/** InferenceMetric is one inference as a client sends it. */
export type InferenceMetric = Static<typeof InferenceMetricSchema>;

/** DriftMetricSchema is one finding of drift as a client sends it. */
export const DriftMetricSchema = Type.Object(
  {
    model_id: modelId,
    drift_type: oneOf(DRIFT_TYPES, 'What drifted: the data or the concept.'),
    severity: oneOf(SEVERITIES, 'High and critical raise an alert.'),
    confidence: Type.Number({ ...ratio, description: 'Confidence in the finding, 0 to 1.' }),
    tags,
    timestamp,
  },
  { title: 'DriftMetric' },
);

/** DriftMetric is one finding of drift as a client sends it. */
export type DriftMetric = Static<typeof DriftMetricSchema>;

/** StoredInferenceSchema is one inference as it is read back: null where absent. */
export const StoredInferenceSchema = Type.Object(
  {
    model_id: Type.String(),
    model_type: oneOf(MODEL_TYPES, 'The kind of model.'),
    request_id: Type.String(),
    latency: Type.Number(),
    timestamp: Type.String({ format: 'date-time' }),
    throughput: Type.Union([Type.Number(), Type.Null()]),
    error_rate: Type.Union([Type.Number(), Type.Null()]),
    resource_usage: Type.Object({
      gpu_memory: Type.Union([Type.Number(), Type.Null()]),
      cpu_usage: Type.Union([Type.Number(), Type.Null()]),
      memory_usage: Type.Union([Type.Number(), Type.Null()]),
    }),
    tags: Type.Record(Type.String(), Type.String()),
    values: Type.Record(Type.String(), Type.Number()),
  },
  { title: 'StoredInference' },
);
/** StoredInference is one inference as it is read back. */
export type StoredInference = Static<typeof StoredInferenceSchema>;

/** StoredDriftSchema is one drift metric as it is read back. */
export const StoredDriftSchema = Type.Object(
  {
    model_id: Type.String(),
    drift_type: oneOf(DRIFT_TYPES, 'What drifted.'),
    severity: oneOf(SEVERITIES, 'How much.'),
    confidence: Type.Number(),
    timestamp: Type.String({ format: 'date-time' }),
    tags: Type.Record(Type.String(), Type.String()),
  },
  { title: 'StoredDrift' },
);
/** StoredDrift is one drift metric as it is read back. */
export type StoredDrift = Static<typeof StoredDriftSchema>;
