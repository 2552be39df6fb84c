import { type Static, type TObject, Type } from '@sinclair/typebox';
import { ALERT_TYPES, DELIVERY_STATUSES, MAX_ID_LENGTH, oneOf, SEVERITIES, type Stat, STATS } from '@tidemark/types';
import { compileSchema, type SchemaCheck } from '../ingest/schema-check.js';
import { MAX_FUTURE_MS, readTimestamp } from '../ingest/timestamp.js';
import { faultDetail } from '../platform/fault-detail.js';
import { HttpProblem } from '../platform/problem.js';

const HOUR_MS = 3_600_000;

const modelId = Type.Optional(
  Type.String({ maxLength: MAX_ID_LENGTH, description: 'Only this model; all of the project when absent.' }),
);
const since = Type.Optional(
  Type.String({ description: 'Start, RFC 3339 or epoch ms, inclusive; goes before since_hours.' }),
);
const until = Type.Optional(Type.String({ description: 'End, RFC 3339 or epoch ms, exclusive; now when absent.' }));
const cursor = Type.Optional(Type.String({ maxLength: 64, description: '`next_cursor` of the page before.' }));

const alertFilters = {
  resolved: Type.Optional(Type.Boolean({ description: 'Only resolved alerts, or only firing ones.' })),
  severity: Type.Optional(oneOf(SEVERITIES, 'Only alerts of this severity.')),
  alert_type: Type.Optional(oneOf(ALERT_TYPES, 'Only alerts of this type.')),
};

function hours(byDefault: number) {
  return Type.Number({
    minimum: 1,
    maximum: 168,
    default: byDefault,
    description: 'Hours before `until` to start at.',
  });
}

function limit(byDefault: number, maximum: number) {
  return Type.Integer({ minimum: 1, maximum, default: byDefault, description: 'Most items to answer.' });
}

/** InferenceQuerySchema are the parameters of GET /metrics/inference. */
export const InferenceQuerySchema = Type.Object({
  model_id: modelId,
  since_hours: hours(24),
  limit: limit(1000, 10_000),
  since,
  until,
  cursor,
});
/** DriftQuerySchema are the parameters of GET /metrics/drift. */
export const DriftQuerySchema = Type.Object({
  model_id: modelId,
  since_hours: hours(168),
  limit: limit(100, 1000),
  since,
  until,
  cursor,
});
/** AggregateQuerySchema are the parameters of GET /metrics/aggregated. */
export const AggregateQuerySchema = Type.Object({
  model_id: modelId,
  since_hours: hours(6),
  window: Type.String({
    pattern: '^[0-9]+[smhd]$',
    default: '5m',
    description: 'Length of a window, such as 30s, 5m, 1h or 1d.',
  }),
  metric: Type.Optional(
    Type.String({ maxLength: 64, description: 'One metric, also a custom one; the six built-in ones when absent.' }),
  ),
  stat: Type.Unsafe<Stat>({ ...oneOf(STATS, 'What a window is reduced to.'), default: 'mean' }),
  group_by: Type.Optional(
    Type.String({ maxLength: 256, description: 'Names of tags, or model_id, separated by commas.' }),
  ),
  since,
  until,
});
/** SummaryQuerySchema are the parameters of GET /summary. */
export const SummaryQuerySchema = Type.Object({ model_id: modelId, since_hours: hours(24), since, until });
/** AlertQuerySchema are the parameters of GET /alerts. */
export const AlertQuerySchema = Type.Object({
  model_id: modelId,
  since_hours: hours(168),
  limit: limit(100, 1000),
  ...alertFilters,
  since,
  until,
});
/** DeliveryQuerySchema are the parameters of GET /deliveries. */
export const DeliveryQuerySchema = Type.Object({
  status: Type.Optional(oneOf(DELIVERY_STATUSES, 'Only deliveries in this state.')),
  limit: limit(100, 1000),
});
/** ChannelRemovalQuerySchema are the parameters of DELETE /channels/{id}. */
export const ChannelRemovalQuerySchema = Type.Object({
  force: Type.Optional(
    Type.Boolean({ description: 'Remove it although models notify it, and take it out of their lists.' }),
  ),
});
/** ExportQuerySchema are the parameters of GET /export; the filters of alerts are of that export only. */
export const ExportQuerySchema = Type.Object({
  format: Type.Unsafe<'csv' | 'ndjson'>({ ...oneOf(['csv', 'ndjson'], 'How rows are written.'), default: 'csv' }),
  model_id: modelId,
  since_hours: hours(24),
  ...alertFilters,
  since,
  until,
});

/** The words for yes and no that query parameters of clients hold; Python writes True. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  ...{ true: true, '1': true, yes: true, on: true, t: true, y: true },
  ...{ false: false, '0': false, no: false, off: false, f: false, n: false },
};

/**
 * createQueryReader makes a function that reads query parameters by a schema or throws an invalid_query problem. The
 * schema is compiled with the first query, because readers are made when their module is loaded.
 */
export function createQueryReader<S extends TObject>(schema: S): (query: unknown) => Static<S> {
  let check: SchemaCheck<Static<S>> | null = null;
  const flags = Object.keys(schema.properties).filter((name) => schema.properties[name]?.['type'] === 'boolean');
  return (query) => {
    check ??= compileSchema<Static<S>>(schema, { coerce: true });
    const copy: unknown = readFlags(query, flags);
    if (check.accepts(copy)) return copy;
    const errors = check.faults(readFlags(query, flags));
    const first = errors[0];
    const place = first?.pointer.slice(1) ?? 'a parameter';
    const detail = faultDetail(place, first?.message ?? 'is not valid', errors.length);
    throw new HttpProblem('invalid_query', detail, { errors });
  };
}

function readFlags(query: unknown, flags: readonly string[]): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...(typeof query === 'object' ? query : {}) };
  for (const name of flags) {
    const word = copy[name];
    if (typeof word === 'string' && Object.hasOwn(BOOLEANS, word.toLowerCase()))
      copy[name] = BOOLEANS[word.toLowerCase()];
  }
  return copy;
}

/** TimeRange is a half-open range of time in epoch ms. */
export interface TimeRange {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** AHEAD_MS is how far past now a list without `until` reaches: points may be stamped that far ahead. */
export const AHEAD_MS = MAX_FUTURE_MS + 1;

/** readRange finds the range that a query names; without `until` it ends `aheadMs` after now. */
export function readRange(
  query: { since_hours: number; since?: string; until?: string },
  nowMs: number,
  aheadMs = AHEAD_MS,
): TimeRange {
  const untilMs = query.until === undefined ? nowMs + aheadMs : readTime('until', query.until);
  const anchorMs = query.until === undefined ? nowMs : untilMs;
  const sinceMs =
    query.since === undefined ? Math.max(0, anchorMs - query.since_hours * HOUR_MS) : readTime('since', query.since);
  if (sinceMs >= untilMs)
    throw invalid('since', query.until === undefined ? 'lies in the future' : 'must be before until');
  return { sinceMs, untilMs };
}

function readTime(name: string, text: string): number {
  const outcome = readTimestamp(text, { nowMs: 8e15, maxAgeMs: 8e15 });
  if (!outcome.ok)
    throw invalid(name, `is RFC 3339 such as 2026-01-31T12:00:00Z, or epoch milliseconds${hintAt(text)}`);
  return outcome.ms;
}

/** Names the mistakes that are easily made: seconds, and a plus sign that a query turns into a space. */
function hintAt(text: string): string {
  if (/^\d+$/.test(text)) return ' of 10 to 15 digits (from 1000000000, which is 1970-01-12)';
  return / \d\d:?\d\d$/.test(text) && text.includes('T') ? '; write the + of a zone as %2B' : '';
}

function invalid(name: string, message: string): HttpProblem {
  return new HttpProblem('invalid_query', `${name} ${message}`, {
    errors: [{ pointer: `/${name}`, code: 'format', message }],
  });
}
