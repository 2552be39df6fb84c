import { type Static, Type } from '@sinclair/typebox';
import { oneOf, SEVERITIES } from './metric.js';

/** RULES are what is watched of every model. */
export const RULES = [
  'latency',
  'error_rate',
  'gpu_memory',
  'cpu_usage',
  'memory_usage',
  'drift_data',
  'drift_concept',
] as const;
/** Rule is one thing watched of a model; there is at most one firing alert for each. */
export type Rule = (typeof RULES)[number];

/** ALERT_TYPES group the rules for people. */
export const ALERT_TYPES = ['latency', 'error_rate', 'drift', 'resource_usage'] as const;
/** AlertType groups the rules for people. */
export type AlertType = (typeof ALERT_TYPES)[number];

/** ALERT_EVENTS are the entries of an alert's history. */
export const ALERT_EVENTS = ['fired', 'escalated', 'repeated', 'acknowledged', 'resolved'] as const;
/** AlertEventKind is one kind of entry in an alert's history. */
export type AlertEventKind = (typeof ALERT_EVENTS)[number];

const nullableString = Type.Union([Type.String(), Type.Null()]);
const nullableTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()]);
const nullableNumber = Type.Union([Type.Number(), Type.Null()]);

/** AlertSchema is an alert as it is read back. */
export const AlertSchema = Type.Object(
  {
    id: Type.String(),
    model_id: Type.String(),
    alert_type: oneOf(ALERT_TYPES, 'What kind of limit was left.'),
    rule: oneOf(RULES, 'Which limit was left.'),
    severity: oneOf(
      SEVERITIES,
      'By the ratio of value to threshold: >= 2 critical, >= 1.5 high, >= 1.2 medium, else low.',
    ),
    message: Type.String(),
    timestamp: Type.String({ format: 'date-time', description: 'When the alert began.' }),
    resolved: Type.Boolean(),
    resolved_at: nullableTime,
    resolved_by: nullableString,
    resolve_comment: nullableString,
    acknowledged: Type.Boolean(),
    acknowledged_at: nullableTime,
    acknowledged_by: nullableString,
    acknowledge_comment: nullableString,
    value: nullableNumber,
    threshold: nullableNumber,
    peak: nullableNumber,
    occurrences: Type.Integer({ description: 'Breaches counted since it began.' }),
    last_breach_at: Type.String({ format: 'date-time' }),
  },
  { title: 'Alert' },
);
/** Alert is an alert as it is read back. */
export type Alert = Static<typeof AlertSchema>;

/** AlertEventSchema is one entry of an alert's history. */
export const AlertEventSchema = Type.Object(
  {
    event_id: Type.String(),
    event: oneOf(ALERT_EVENTS, 'What happened.'),
    severity: oneOf(SEVERITIES, 'Severity after the event.'),
    message: Type.String(),
    value: nullableNumber,
    threshold: nullableNumber,
    occurrences: Type.Integer(),
    timestamp: Type.String({ format: 'date-time' }),
    by: nullableString,
    comment: nullableString,
  },
  { title: 'AlertEvent' },
);
/** AlertEvent is one entry of an alert's history. */
export type AlertEvent = Static<typeof AlertEventSchema>;
