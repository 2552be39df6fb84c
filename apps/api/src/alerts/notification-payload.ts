import type { Alert, AlertEvent } from '@tidemark/state';
import type { Notification } from '@tidemark/delivery';

/** notificationPayload writes the notification of an event: the JSON that is kept in the outbox, without any secret. */
export function notificationPayload(alert: Alert, event: AlertEvent, publicUrl: string | null): string {
  if (event.kind === 'acknowledged') throw new Error('nobody is notified of an acknowledgement');
  const notification: Notification = {
    event: event.kind,
    event_id: event.eventId,
    alert_id: alert.id,
    project: alert.project,
    model_id: alert.modelId,
    alert_type: alert.alertType,
    severity: event.severity,
    message: event.message,
    value: event.value,
    threshold: event.threshold,
    occurrences: event.occurrences,
    started_at: iso(alert.startedMs),
    timestamp: iso(event.atMs),
    resolved: alert.resolvedMs !== null,
    ...(alert.resolvedMs === null ? {} : { resolved_at: iso(alert.resolvedMs) }),
    ...(publicUrl === null ? {} : { dashboard_url: `${publicUrl}/api/v1/alerts/${alert.id}` }),
  };
  return JSON.stringify(notification);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
