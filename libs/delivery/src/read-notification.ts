import { ALERT_TYPES, SEVERITIES } from '@tidemark/types';
import { type Notification, NOTIFICATION_EVENTS } from './notification.js';

/**
 * readNotification reads the payload of a delivery back from JSON text. Undefined where it is no notification: that cannot
 * happen to what this version wrote, but a ledger outlives versions.
 */
export function readNotification(payload: string): Notification | undefined {
  const value = parsed(payload);
  return isNotification(value) ? value : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // The only thing that JSON.parse throws for is text that is not JSON.
  }
}

const TEXTS = ['event_id', 'alert_id', 'project', 'model_id', 'message', 'started_at', 'timestamp'];

function isNotification(value: unknown): value is Notification {
  if (typeof value !== 'object' || value === null) return false;
  const field = (name: string): unknown => Reflect.get(value, name);
  const oneOf = (name: string, names: readonly string[]): boolean => names.some((one) => one === field(name));
  const numberOrNull = (name: string): boolean => field(name) === null || typeof field(name) === 'number';
  return (
    TEXTS.every((name) => typeof field(name) === 'string') &&
    oneOf('event', NOTIFICATION_EVENTS) &&
    oneOf('alert_type', ALERT_TYPES) &&
    oneOf('severity', SEVERITIES) &&
    numberOrNull('value') &&
    numberOrNull('threshold') &&
    typeof field('occurrences') === 'number' &&
    typeof field('resolved') === 'boolean'
  );
}
