import type { Outcome } from './channel.js';
import { retryAfterMs } from './retry-after.js';
import type { SafeFetchResult } from './safe-fetch.js';

const RETRYABLE = new Set([408, 425, 429]);

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
    return { kind: 'reject', reason: `HTTP ${status}: redirects are not followed` };
  }
  return { kind: 'reject', reason: `HTTP ${status}` };
}
