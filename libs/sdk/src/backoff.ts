/** BackoffRange bounds the waits between tries, in milliseconds. */
export interface BackoffRange {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * backoffMs answers how long to wait after failure number `failures` (1, 2, ...): the base doubled each time up to the
 * maximum, of which the upper half is random, so that clients that failed together do not come back together.
 */
export function backoffMs(failures: number, range: BackoffRange, random: () => number): number {
  const ceiling = Math.min(range.maxMs, range.baseMs * 2 ** Math.min(failures - 1, 30));
  return ceiling / 2 + (ceiling / 2) * random();
}

/**
 * parseRetryAfter reads a Retry-After header, seconds or an HTTP date (RFC 9110, 10.2.3), as milliseconds from `nowMs`;
 * never negative, undefined where the header is absent or says nothing that can be understood.
 */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  const text = header === null ? '' : header.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Date.parse takes far more than HTTP dates ("5 apples"); all three HTTP forms begin with the day's name.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
