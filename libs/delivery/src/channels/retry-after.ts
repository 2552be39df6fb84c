/** MAX_RETRY_AFTER_MS bounds what a receiver may ask for: 24 hours. */
const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * retryAfterMs reads a Retry-After header (RFC 9110, 10.2.3): whole seconds or an HTTP date, counted from `nowMs`
 * (wall clock). Returns milliseconds in 0..24 h, or undefined where the header is absent or unreadable.
 */
export function retryAfterMs(header: string | null | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '' || text.length > 64) return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : httpDateMs(text) - nowMs;
  if (Number.isNaN(wait)) return undefined;
  return Math.min(Math.max(wait, 0), MAX_RETRY_AFTER_MS);
}

function httpDateMs(text: string): number {
  return /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : NaN;
}
