import type { Outcome } from './channel.js';
import { retryAfterMs } from './retry-after.js';
import type { SafeFetchResult } from './safe-fetch.js';

const RETRYABLE = new Set([408, 425, 429]);

/** What a person can do about a refusal, where the status says. */
const ADVICE: Readonly<Record<number, string>> = {
  401: "the receiver wants credentials: check the channel's headers",
  403: "the receiver forbids it: check the channel's URL and headers",
  404: "the receiver knows no such address: check the channel's URL",
  405: "the receiver does not take this method: check the channel's method",
};

/**
 * httpOutcome decides what an HTTP exchange means for a delivery: 2xx sent; 408, 425, 429, 5xx and faults of the network
 * are retried (Retry-After honoured, `nowMs` being the wall clock); 410 disables the channel; 3xx, a refused address and
 * every other status is final.
 */
export function httpOutcome(result: SafeFetchResult, nowMs: number): Outcome {
  if (result.kind === 'failed') return { kind: 'retry', reason: result.reason };
  if (result.kind === 'refused') return { kind: 'reject', reason: result.reason };
  const { status, headers } = result.response;
  if (status >= 200 && status < 300) return { kind: 'sent', detail: `HTTP ${status}` };
  if (RETRYABLE.has(status) || status >= 500) {
    const afterMs = retryAfterMs(headers.get('retry-after'), nowMs);
    return { kind: 'retry', reason: `HTTP ${status}`, ...(afterMs === undefined ? {} : { afterMs }) };
  }
  if (status === 410) return { kind: 'reject', reason: 'HTTP 410: the receiver is gone', disableChannel: true };
  if (status >= 300 && status < 400) {
    return { kind: 'reject', reason: `HTTP ${status}: redirects are not followed; enter the address that it leads to` };
  }
  const advice = ADVICE[status];
  return { kind: 'reject', reason: advice === undefined ? `HTTP ${status}` : `HTTP ${status}: ${advice}` };
}
