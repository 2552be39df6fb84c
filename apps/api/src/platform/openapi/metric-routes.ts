import { Type } from '@sinclair/typebox';
import {
  DriftMetricSchema,
  InferenceMetricSchema,
  MAX_BATCH_ITEMS,
  StoredDriftSchema,
  StoredInferenceSchema,
} from '@tidemark/types';
import {
  AggregateQuerySchema,
  DriftQuerySchema,
  ExportQuerySchema,
  InferenceQuerySchema,
  SummaryQuerySchema,
} from '../../query/queries.js';
import type { RouteDoc } from './route-doc.js';

const inference = {
  model_id: 'my-model',
  model_type: 'llm',
  request_id: 'req-1',
  latency: 182.5,
  throughput: 12.4,
  error_rate: 0,
  resource_usage: { gpu_memory: 0.61, cpu_usage: 0.2, memory_usage: 0.43 },
  tags: { region: 'eu' },
  values: { tokens: 512 },
};
const drift = { model_id: 'my-model', drift_type: 'data', severity: 'high', confidence: 0.93 };
const stored = { ...inference, timestamp: '2026-01-31T12:00:00.000Z' };

const idempotency = {
  'Idempotency-Key': 'Any unique text. The same key and body store once and get the same answer for 24 hours.',
};
const pendingPoints = {
  'X-Tidemark-Pending-Points':
    'How many acknowledged points the answer may lack, because they wait for InfluxDB; absent where none waits.',
};
const Done = Type.Object({ status: Type.Literal('success'), message: Type.String() });
const cursor = Type.Optional(
  Type.String({ description: 'Give it as `cursor` for the next page; absent on the last.' }),
);
const BatchAnswer = Type.Object(
  {
    accepted: Type.Integer(),
    rejected: Type.Array(
      Type.Object({ index: Type.Integer(), code: Type.String(), pointer: Type.String(), message: Type.String() }),
    ),
  },
  { title: 'BatchAnswer' },
);
const Series = Type.Array(
  Type.Object({ time: Type.String({ format: 'date-time' }), value: Type.Union([Type.Number(), Type.Null()]) }),
);

function batchOf(item: typeof InferenceMetricSchema | typeof DriftMetricSchema) {
  return Type.Object({ metrics: Type.Array(item, { minItems: 1, maxItems: MAX_BATCH_ITEMS }) });
}

const batchDoc = {
  others: {
    207: { description: 'Some items were stored, the others are in `rejected`.', schema: BatchAnswer },
    422: { description: 'No item was valid; nothing was stored.', schema: BatchAnswer },
  },
  headers: idempotency,
  problems: [
    'malformed_body',
    'too_deep',
    'too_many_keys',
    'body_too_large',
    'validation_failed',
    'idempotency_mismatch',
    'idempotency_in_flight',
    'series_limit',
    'overloaded',
    'storage_unavailable',
  ],
} as const;
const singleProblems = [
  'malformed_body',
  'validation_failed',
  'idempotency_mismatch',
  'idempotency_in_flight',
  'series_limit',
  'overloaded',
  'storage_unavailable',
] as const;

/** METRIC_ROUTES send metrics in and ask for them. */
export const METRIC_ROUTES: readonly RouteDoc[] = [
  {
    method: 'POST',
    path: '/api/v1/metrics/inference',
    operationId: 'sendInference',
    tag: 'Metrics',
    summary: 'Send one inference',
    description:
      'Answered when the metric is on disk, evaluated, and every alert it caused is committed. Numeric strings are read as numbers.',
    headers: idempotency,
    body: { schema: InferenceMetricSchema, example: inference },
    answer: {
      status: 201,
      description: 'Stored.',
      schema: Done,
      example: { status: 'success', message: 'Metric collected successfully' },
    },
    problems: singleProblems,
  },
  {
    method: 'POST',
    path: '/api/v1/metrics/inference/batch',
    operationId: 'sendInferenceBatch',
    tag: 'Metrics',
    summary: 'Send up to 10,000 inferences',
    description:
      'JSON or NDJSON (one metric a line), plain or gzip, up to 16 MB decompressed. Valid items are stored, the others told by index.',
    ...batchDoc,
    body: {
      schema: batchOf(InferenceMetricSchema),
      example: { metrics: [inference] },
      alsoAs: ['application/x-ndjson'],
    },
    answer: {
      status: 201,
      description: 'All items were stored.',
      schema: BatchAnswer,
      example: { accepted: 1, rejected: [] },
    },
  },
  {
    method: 'POST',
    path: '/api/v1/metrics/drift',
    operationId: 'sendDrift',
    tag: 'Metrics',
    summary: 'Send one finding of drift',
    description: 'High and critical severity raise an alert, also for a model that nobody registered.',
    headers: idempotency,
    body: { schema: DriftMetricSchema, example: drift },
    answer: {
      status: 201,
      description: 'Stored.',
      schema: Done,
      example: { status: 'success', message: 'Drift metric collected successfully' },
    },
    problems: singleProblems,
  },
  {
    method: 'POST',
    path: '/api/v1/metrics/drift/batch',
    operationId: 'sendDriftBatch',
    tag: 'Metrics',
    summary: 'Send up to 10,000 findings of drift',
    ...batchDoc,
    body: { schema: batchOf(DriftMetricSchema), example: { metrics: [drift] }, alsoAs: ['application/x-ndjson'] },
    answer: {
      status: 201,
      description: 'All items were stored.',
      schema: BatchAnswer,
      example: { accepted: 1, rejected: [] },
    },
  },
  {
    method: 'GET',
    path: '/api/v1/metrics/inference',
    operationId: 'listInferences',
    tag: 'Metrics',
    summary: 'The newest inferences',
    query: InferenceQuerySchema,
    answer: {
      status: 200,
      headers: pendingPoints,
      description: 'Newest first.',
      schema: Type.Object({ metrics: Type.Array(StoredInferenceSchema), next_cursor: cursor }),
      example: { metrics: [stored] },
    },
    problems: ['storage_unavailable'],
  },
  {
    method: 'GET',
    path: '/api/v1/metrics/drift',
    operationId: 'listDrifts',
    tag: 'Metrics',
    summary: 'The newest findings of drift',
    query: DriftQuerySchema,
    answer: {
      status: 200,
      headers: pendingPoints,
      description: 'Newest first.',
      schema: Type.Object({ drift_metrics: Type.Array(StoredDriftSchema), next_cursor: cursor }),
      example: { drift_metrics: [{ ...drift, timestamp: '2026-01-31T12:00:00.000Z', tags: {} }] },
    },
    problems: ['storage_unavailable'],
  },
  {
    method: 'GET',
    path: '/api/v1/metrics/aggregated',
    operationId: 'aggregateMetrics',
    tag: 'Metrics',
    summary: 'Figures by window of time',
    description:
      'Windows start at multiples of their length since 1970; an empty one is null. Percentiles have a relative error of at most 1%. With `group_by` the answer is `{groups: [{group, aggregated_metrics}]}`. It has at most 11,000 windows, 10,000 groups and 100,000 values (groups × windows × metrics, and the tags that name each group), 25,000 where several groups have percentiles; a query for more is refused with `answer_too_large`, before it is worked out.',
    query: AggregateQuerySchema,
    answer: {
      status: 200,
      headers: pendingPoints,
      description: 'One list of windows a metric, oldest first.',
      schema: Type.Object({
        aggregated_metrics: Type.Optional(Type.Record(Type.String(), Series)),
        groups: Type.Optional(Type.Array(Type.Unknown())),
      }),
      example: {
        aggregated_metrics: {
          latency: [
            { time: '2026-01-31T12:00:00.000Z', value: 182.5 },
            { time: '2026-01-31T12:05:00.000Z', value: null },
          ],
        },
      },
    },
    problems: ['answer_too_large', 'storage_unavailable'],
  },
  {
    method: 'GET',
    path: '/api/v1/summary',
    operationId: 'getSummary',
    tag: 'Metrics',
    summary: 'A model, or all of them, in six figures',
    description: 'Zeros where there is nothing; `error_rate` is the mean over the metrics that carry one.',
    query: SummaryQuerySchema,
    answer: {
      status: 200,
      headers: pendingPoints,
      description: 'The figures.',
      schema: Type.Object({
        total_requests: Type.Integer(),
        average_latency: Type.Number(),
        error_rate: Type.Number(),
        p95_latency: Type.Number(),
        p99_latency: Type.Number(),
        active_alerts: Type.Integer(),
      }),
      example: {
        total_requests: 1200,
        average_latency: 190.2,
        error_rate: 0.01,
        p95_latency: 410.5,
        p99_latency: 890.1,
        active_alerts: 1,
      },
    },
    problems: ['storage_unavailable'],
  },
  {
    method: 'GET',
    path: '/api/v1/export/:what',
    operationId: 'exportRecords',
    tag: 'Metrics',
    summary: 'Export inference, drift or alerts',
    description:
      'Streamed a page at a time. In CSV a text that a spreadsheet would run as a formula gets an apostrophe in front.',
    query: ExportQuerySchema,
    answer: { status: 200, headers: pendingPoints, description: 'CSV (RFC 4180) or NDJSON.', mediaType: 'text/csv' },
    problems: ['storage_unavailable', 'not_found'],
  },
];
