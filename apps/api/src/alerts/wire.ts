import type { Alert, AlertEvent, Delivery, DeliveryAttempt } from '@tidemark/state';
import type { Alert as WireAlert, AlertEvent as WireEvent, Delivery as WireDelivery } from '@tidemark/types';

/** toWireAlert writes an alert as it is read back over HTTP. */
export function toWireAlert(alert: Alert): WireAlert {
  return {
    id: alert.id,
    model_id: alert.modelId,
    alert_type: alert.alertType,
    rule: alert.rule,
    severity: alert.severity,
    message: alert.message,
    timestamp: iso(alert.startedMs),
    resolved: alert.resolvedMs !== null,
    resolved_at: isoOrNull(alert.resolvedMs),
    resolved_by: alert.resolvedBy,
    resolve_comment: alert.resolveComment,
    acknowledged: alert.acknowledged !== null,
    acknowledged_at: isoOrNull(alert.acknowledged?.atMs ?? null),
    acknowledged_by: alert.acknowledged?.by ?? null,
    acknowledge_comment: alert.acknowledged?.comment ?? null,
    value: alert.value,
    threshold: alert.threshold,
    peak: alert.peak,
    occurrences: alert.occurrences,
    last_breach_at: iso(alert.lastBreachMs),
  };
}

/** toWireEvent writes an entry of an alert's history. */
export function toWireEvent(event: AlertEvent): WireEvent {
  const { eventId, kind, severity, message, value, threshold, occurrences, atMs, by, comment } = event;
  return {
    event_id: eventId,
    event: kind,
    severity,
    message,
    value,
    threshold,
    occurrences,
    timestamp: iso(atMs),
    by,
    comment,
  };
}

/** toWireDelivery writes a row of the ledger. */
export function toWireDelivery(delivery: Delivery): WireDelivery {
  return {
    id: delivery.id,
    alert_id: delivery.alertId,
    event_id: delivery.eventId,
    event: delivery.eventKind,
    channel_id: delivery.channelId,
    model_id: delivery.modelId,
    severity: delivery.severity,
    status: delivery.status,
    attempts: delivery.attempts,
    due_at: delivery.status === 'pending' ? iso(delivery.dueMs) : isoOrNull(delivery.releaseMs),
    last_error: delivery.lastError,
    created_at: iso(delivery.createdMs),
    delivered_at: isoOrNull(delivery.deliveredMs),
  };
}

/** toWireAttempt writes one try of a delivery. */
export function toWireAttempt({ number, atMs, outcome, detail, durationMs }: DeliveryAttempt) {
  return { number, timestamp: iso(atMs), outcome, detail, duration_ms: durationMs };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
