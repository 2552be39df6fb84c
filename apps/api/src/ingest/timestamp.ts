import type { ItemCode } from '@tidemark/types';

/** MAX_FUTURE_MS is how far ahead of the server's clock a client's timestamp may be. */
export const MAX_FUTURE_MS = 10 * 60_000;

/** TimestampOutcome is a time in epoch ms, or why the text or number is none. */
export type TimestampOutcome =
  | { readonly ok: true; readonly ms: number }
  | { readonly ok: false; readonly code: ItemCode; readonly message: string };

/** TimestampBounds say what is accepted around the server's time. */
export interface TimestampBounds {
  readonly nowMs: number;
  readonly maxAgeMs: number;
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))?$/;

/**
 * readTimestamp reads RFC 3339 text (UTC when it names no zone) or epoch milliseconds, to the millisecond.
 * Absent (undefined or null) is the server's time.
 */
export function readTimestamp(given: string | number | null | undefined, bounds: TimestampBounds): TimestampOutcome {
  if (given === undefined || given === null) return { ok: true, ms: bounds.nowMs };
  const ms = typeof given === 'number' ? Math.floor(given) : parseText(given);
  if (!Number.isFinite(ms)) {
    return refuse('timestamp_format', 'a timestamp is RFC 3339 such as 2026-01-31T12:00:00Z, or epoch milliseconds');
  }
  if (ms > bounds.nowMs + MAX_FUTURE_MS) {
    return refuse('timestamp_future', `the timestamp is ${describe(ms)}, more than 10 minutes ahead of the server`);
  }
  if (ms < bounds.nowMs - bounds.maxAgeMs) {
    const hint =
      ms > 0 && ms * 1000 > bounds.nowMs - bounds.maxAgeMs && ms * 1000 < bounds.nowMs * 2
        ? '; it looks like seconds'
        : '';
    return refuse('timestamp_too_old', `the timestamp is ${describe(ms)}, older than raw metrics are kept${hint}`);
  }
  return { ok: true, ms };
}

function parseText(text: string): number {
  if (/^\d{10,15}$/.test(text)) return Number(text);
  const match = RFC_3339.exec(text);
  if (!match) return NaN;
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHour, zoneMinute] = match;
  const seconds = Math.min(Number(second), 59); // 60 is a leap second: it counts as the second before
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), seconds);
  const date = new Date(ms);
  const real =
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    date.getUTCHours() === Number(hour);
  if (!real || Number(minute) > 59 || Number(second) > 60 || Number(zoneHour ?? 0) > 23 || Number(zoneMinute ?? 0) > 59)
    return NaN;
  const zoneMs = (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0)) * 60_000 * (sign === '-' ? -1 : 1);
  return ms + Number((fraction ?? '').slice(0, 3).padEnd(3, '0')) - zoneMs;
}

function describe(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

function refuse(code: ItemCode, message: string): TimestampOutcome {
  return { ok: false, code, message };
}
