import { isIP } from 'node:net';
import type { AddressGuard } from './address-guard.js';
import { startDeadline } from './deadline.js';
import { type GuardedClient, openGuardedClient } from './guarded-client.js';
import { BlockedAddressError, type Resolve } from './guarded-connect.js';
import { networkFault } from './network-fault.js';

/** SafeRequest is one outgoing request. Redirects are never followed. */
export interface SafeRequest {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** SafeResponse is an answer whose body was read up to the limit. */
export interface SafeResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: string;
  /** True where the body was longer than the limit and was cut. */
  readonly truncated: boolean;
}

/** SafeFetchResult: `refused` means that no connection was or ever will be made, `failed` is a fault of network or time. */
export type SafeFetchResult =
  | { readonly kind: 'response'; readonly response: SafeResponse }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** SafeFetch makes outgoing requests to addresses that users chose, without reaching the inside of the network. */
export interface SafeFetch {
  fetch(request: SafeRequest, signal: AbortSignal): Promise<SafeFetchResult>;
  close(): Promise<void>;
}

/** SafeFetchOptions are the guard and the bounds of openSafeFetch. */
export interface SafeFetchOptions {
  readonly guard: AddressGuard;
  readonly resolve: Resolve;
  /** For everything from the look-up to the last byte of the body; default 10,000. */
  readonly timeoutMs?: number;
  /** Of the answer, after decompression; default 65,536. */
  readonly maxBodyBytes?: number;
}

/** openSafeFetch opens a SafeFetch with its own connection pool; the caller closes it. */
export function openSafeFetch(options: SafeFetchOptions): SafeFetch {
  const { timeoutMs = 10_000 } = options;
  let opened: GuardedClient | undefined;
  // Opened with the first request: most of a small installation's life goes by without one.
  const client = () => (opened ??= openGuardedClient(options));
  return {
    fetch: async (request, signal) => {
      const refusal = urlRefusal(request.url);
      if (refusal !== undefined) return { kind: 'refused', reason: refusal };
      const deadline = startDeadline(signal, timeoutMs);
      try {
        return { kind: 'response', response: await client().exchange(request, deadline.signal) };
      } catch (error) {
        if (deadline.expired()) return { kind: 'failed', reason: `no answer within ${timeoutMs} ms` };
        if (signal.aborted) return { kind: 'failed', reason: 'aborted' };
        return failureOf(error);
      } finally {
        deadline.release();
      }
    },
    close: async () => opened?.close(),
  };
}

/**
 * urlRefusal says why a URL may not be called whatever its host resolves to, or undefined. It runs before every request;
 * it is public so that a channel's URL can be judged when the channel is made.
 */
export function urlRefusal(text: string): string | undefined {
  if (!URL.canParse(text)) return 'not a URL';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'only http and https are allowed';
  if (url.username !== '' || url.password !== '') return 'a URL must not carry a user name or password';
  // The URL parser turns 0x7f.1, 017700000001, 2130706433 and full-width digits into dotted numbers: only what
  // was written as a plain dotted address is one that its author can have meant.
  const written = /^[a-z]+:\/\/([^/?#:]*)/i.exec(text)?.[1];
  if (isIP(url.hostname) === 4 && written !== url.hostname) return 'write the address as four decimal numbers';
  return undefined;
}

/** fetch wraps what went wrong, sometimes twice and sometimes in an AggregateError of all addresses tried. */
function failureOf(error: unknown): SafeFetchResult {
  let cause = error;
  for (let depth = 0; depth < 4 && cause instanceof Error; depth += 1) {
    if (cause instanceof BlockedAddressError) return { kind: 'refused', reason: cause.message };
    if (cause.cause === undefined) break;
    cause = cause.cause;
  }
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  return {
    kind: 'failed',
    reason: code ? networkFault(code) : cause instanceof Error ? cause.message : 'request failed',
  };
}
