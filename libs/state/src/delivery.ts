import type { AlertEventKind, AlertType, DeliveryStatus, Severity } from '@tidemark/types';
import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { DeliveriesTable, DeliveryAttemptsTable } from './schema.js';

/** Delivery is the notification of one event to one channel: a row of the ledger and of the outbox. */
export interface Delivery {
  /** Derived from the event and the channel, so that one notification is never two deliveries. */
  readonly id: string;
  readonly project: string;
  readonly alertId: string;
  readonly eventId: string;
  /** The event's place in the alert's history. */
  readonly sequence: number;
  readonly channelId: string;
  readonly modelId: string;
  readonly alertType: AlertType;
  readonly severity: Severity;
  readonly eventKind: AlertEventKind;
  /** The notification as JSON text, without secrets. */
  readonly payload: string;
  /** `delivered`, `suppressed` and `dead` are ends; `dead` can be replayed. */
  readonly status: DeliveryStatus;
  /** Tries made since the schedule began; a replay starts again at 0. */
  readonly attempts: number;
  /** When it may be claimed next, while pending. */
  readonly dueMs: number;
  /** When the schedule of its retries began: at its making or its last replay. */
  readonly scheduledMs: number;
  /** The reason of the last retry, suppression or death. */
  readonly lastError: string | null;
  /** When a suppressed one goes out after all, unless another message has summed it up by then; null if it does not. */
  readonly releaseMs: number | null;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly deliveredMs: number | null;
}

/** AttemptOutcome is how one try ended. */
export type AttemptOutcome = 'delivered' | 'retry' | 'dead';

/** DeliveryAttempt is one try of a delivery; `number` counts 1, 2, 3 ... over replays too. */
export interface DeliveryAttempt {
  readonly number: number;
  readonly atMs: number;
  readonly outcome: AttemptOutcome;
  readonly detail: string | null;
  readonly durationMs: number;
}

/** toDelivery reads a row of the ledger. */
export function toDelivery(row: Selectable<DeliveriesTable>): Delivery {
  return {
    id: row.id,
    project: row.project,
    alertId: row.alert_id,
    eventId: row.event_id,
    sequence: row.sequence,
    channelId: row.channel_id,
    modelId: row.model_id,
    alertType: row.alert_type,
    severity: row.severity,
    eventKind: row.event_kind,
    payload: row.payload,
    status: row.status,
    attempts: row.attempts,
    dueMs: row.due_ms,
    scheduledMs: row.scheduled_ms,
    lastError: row.last_error,
    releaseMs: row.release_ms,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
    deliveredMs: row.delivered_ms,
  };
}

/** toAttempt reads a row of a delivery's tries. */
export function toAttempt(row: Selectable<DeliveryAttemptsTable>): DeliveryAttempt {
  return {
    number: row.number,
    atMs: row.at_ms,
    outcome: row.outcome,
    detail: row.detail,
    durationMs: row.duration_ms,
  };
}

/**
 * literally writes statuses into the SQL text instead of binding them: an engine uses a partial index only where the
 * query repeats the index's own condition, word for word.
 */
export function literally(...statuses: readonly [DeliveryStatus, ...DeliveryStatus[]]): RawBuilder<DeliveryStatus> {
  const literals = statuses.map((status) => sql.lit(status));
  return statuses.length === 1 ? sql`${literals[0]}` : sql`(${sql.join(literals)})`;
}
