import { type AlertType, type Severity } from '@tidemark/types';

/** NOTIFICATION_EVENTS are the reasons for which a person is written to. */
export const NOTIFICATION_EVENTS = ['fired', 'escalated', 'repeated', 'resolved', 'test'] as const;
/** NotificationEvent is one reason for which a person is written to. */
export type NotificationEvent = (typeof NOTIFICATION_EVENTS)[number];

/**
 * Notification is one message to one channel, and word for word the JSON body that a webhook receives.
 * Times are RFC 3339 in UTC. A receiver that has seen an `event_id` may drop the message: delivery is at least once.
 */
export interface Notification {
  readonly event: NotificationEvent;
  /** Deterministic id of the event, the same in every repeat of it. */
  readonly event_id: string;
  readonly alert_id: string;
  readonly project: string;
  readonly model_id: string;
  readonly alert_type: AlertType;
  readonly severity: Severity;
  /** One sentence for people, such as `High latency detected: 1500.0ms (threshold: 1000.0ms)`. */
  readonly message: string;
  /** What was measured: milliseconds for latency, a ratio 0..1 for all else (for drift: the confidence); null if unknown. */
  readonly value: number | null;
  /** The limit that was left, in the unit of `value`; null where the rule has none. */
  readonly threshold: number | null;
  /** Breaches counted since the alert began, at least 1. */
  readonly occurrences: number;
  /** When the alert began. */
  readonly started_at: string;
  /** When the event happened. */
  readonly timestamp: string;
  readonly resolved: boolean;
  readonly resolved_at?: string;
  /** Messages about this model that this channel's limits held back since the last one that went out; absent if none. */
  readonly suppressed_since_last?: number;
  /** Other models of which messages wait for a place under this channel's limit: how many, and the first few; absent if none. */
  readonly waiting_models?: { readonly count: number; readonly first: readonly string[] };
  /** Absolute http(s) URL of the alert in the dashboard. */
  readonly dashboard_url?: string;
}
