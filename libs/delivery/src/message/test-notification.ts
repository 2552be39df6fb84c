import type { Notification } from '../notification.js';

/** TestNotificationInput names what the test is of; `nowMs` is the wall clock. */
export interface TestNotificationInput {
  readonly project: string;
  readonly channelName: string;
  /** Unique for each test: it becomes the event id. */
  readonly id: string;
  readonly nowMs: number;
  readonly dashboardUrl?: string;
}

/** testNotification writes the message that tries a channel out. It belongs to no alert and counts against no limit. */
export function testNotification({
  project,
  channelName,
  id,
  nowMs,
  dashboardUrl,
}: TestNotificationInput): Notification {
  const time = new Date(nowMs).toISOString();
  return {
    event: 'test',
    event_id: `test-${id}`,
    alert_id: `test-${id}`,
    project,
    model_id: 'tidemark',
    alert_type: 'latency',
    severity: 'low',
    message: `Test of the channel ${channelName}`,
    value: null,
    threshold: null,
    occurrences: 1,
    started_at: time,
    timestamp: time,
    resolved: false,
    ...(dashboardUrl === undefined ? {} : { dashboard_url: dashboardUrl }),
  };
}
