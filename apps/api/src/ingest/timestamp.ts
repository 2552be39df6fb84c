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

/**
 * readTimestamp reads RFC 3339 text (UTC when it names no zone) or epoch milliseconds, to the millisecond.
 * Absent (undefined or null) is the server's time.
 */
export function readTimestamp(given: string | number | null | undefined, bounds: TimestampBounds): TimestampOutcome {
  if (given === undefined || given === null) return { ok: true, ms: bounds.nowMs };
  const ms = typeof given === 'number' ? Math.floor(given) : parseTimestamp(given);
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

/** parseTimestamp reads a text by position, without a pattern: it runs once for every point. NaN for a text of another form. */
export function parseTimestamp(text: string): number {
  if (text.length >= 10 && text.length <= 15 && /^\d+$/.test(text)) return Number(text);
  const day = dayMs(text);
  const time = timeMs(text);
  const fraction = fractionOf(text);
  return day + time + fraction.ms - zoneMs(text, fraction.end);
}

/** `2026-01-31`, then T, t or a space. */
function dayMs(text: string): number {
  const separator = text[10];
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return NaN;
  if (separator !== 'T' && separator !== 't' && separator !== ' ') return NaN;
  const year = digits(text, 0) * 100 + digits(text, 2);
  const month = digits(text, 5);
  const day = digits(text, 8);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? NaN);
  if (!(day >= 1 && day <= last)) return NaN;
  const ms = Date.UTC(year, month - 1, day);
  return year >= 100 ? ms : NaN; // Date.UTC takes years below 100 for 19xx
}

/** `12:00:00`; second 60 is a leap second and counts as the second before. */
function timeMs(text: string): number {
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return NaN;
  const hour = digits(text, 11);
  const minute = digits(text, 14);
  const second = digits(text, 17);
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return NaN;
  return hour * 3_600_000 + minute * 60_000 + Math.min(second, 59) * 1000;
}

/** A dot and 1 to 9 digits, cut to the millisecond; `end` is where they end. */
function fractionOf(text: string): { readonly ms: number; readonly end: number } {
  if (text.charCodeAt(19) !== DOT) return { ms: 0, end: 19 };
  let ms = 0;
  let end = 20;
  for (let unit = 100; isDigit(text.charCodeAt(end)); unit = Math.floor(unit / 10))
    ms += (text.charCodeAt(end++) - ZERO) * unit;
  return end > 20 && end <= 29 ? { ms, end } : { ms: NaN, end };
}

/** Nothing or Z is UTC; else `+01:00`. */
function zoneMs(text: string, at: number): number {
  if (text.length === at) return 0;
  const sign = text.charCodeAt(at);
  if ((sign | 0x20) === 0x7a) return text.length === at + 1 ? 0 : NaN;
  if ((sign !== PLUS && sign !== DASH) || text.length !== at + 6 || text.charCodeAt(at + 3) !== COLON) return NaN;
  const hours = digits(text, at + 1);
  const minutes = digits(text, at + 4);
  if (!(hours <= 23 && minutes <= 59)) return NaN;
  return (hours * 60 + minutes) * 60_000 * (sign === DASH ? -1 : 1);
}

function digits(text: string, at: number): number {
  const tens = text.charCodeAt(at);
  const ones = text.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - ZERO) * 10 + ones - ZERO : NaN;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

const DAYS: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const [ZERO, DASH, COLON, DOT, PLUS] = [0x30, 0x2d, 0x3a, 0x2e, 0x2b] as const;

function describe(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

function refuse(code: ItemCode, message: string): TimestampOutcome {
  return { ok: false, code, message };
}
