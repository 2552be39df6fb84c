import type { Notification } from '../notification.js';

/** sampleNotification is a firing latency alert, with the fields that a test cares about replaced. */
export function sampleNotification(changes: Partial<Notification> = {}): Notification {
  return {
    event: 'fired',
    event_id: 'evt_1f0a',
    alert_id: 'alr_77',
    project: 'default',
    model_id: 'my-model',
    alert_type: 'latency',
    severity: 'critical',
    message: 'High latency detected: 2500.0ms (threshold: 1000.0ms)',
    value: 2500,
    threshold: 1000,
    occurrences: 3,
    started_at: '2026-11-21T10:00:00.000Z',
    timestamp: '2026-11-21T10:00:04.000Z',
    resolved: false,
    dashboard_url: 'http://127.0.0.1:8000/alerts/alr_77',
    ...changes,
  };
}
