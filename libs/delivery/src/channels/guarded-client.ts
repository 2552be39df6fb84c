import type { buildConnector, Dispatcher } from 'undici';
import { loadUndici } from './client-libraries.js';
import { assertLiteralAllowed, guardedLookup } from './guarded-connect.js';
import type { SafeFetchOptions, SafeRequest, SafeResponse } from './safe-fetch.js';

/** GuardedClient makes requests through a connection pool that judges every address as it is connected to. */
export interface GuardedClient {
  /** exchange sends one request and reads its bounded answer; it rejects with the cause of any failure. */
  exchange(request: SafeRequest, signal: AbortSignal): Promise<SafeResponse>;
  close(): Promise<void>;
}

/** openGuardedClient opens the pool; the caller closes it. It throws where the HTTP client cannot be loaded. */
export function openGuardedClient(options: SafeFetchOptions): GuardedClient {
  const { timeoutMs = 10_000, maxBodyBytes = 65_536 } = options;
  const { Agent, Pool } = loadUndici();
  const dispatcher = new Agent({
    keepAliveTimeout: 10_000,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxHeaderSize: 16_384,
    factory: (origin, poolOptions) =>
      new Pool(origin, { ...poolOptions, connections: 8, connect: connectorTo(new URL(origin), options, timeoutMs) }),
  });
  return {
    exchange: (request, signal) => exchange(request, { dispatcher, maxBodyBytes, signal }),
    close: () => dispatcher.destroy(),
  };
}

function connectorTo(origin: URL, { guard, resolve }: SafeFetchOptions, timeout: number): buildConnector.connector {
  const port = Number(origin.port) || (origin.protocol === 'https:' ? 443 : 80);
  const host = origin.hostname.replace(/^\[|\]$/g, '');
  const connect = loadUndici().buildConnector({ timeout, lookup: guardedLookup(guard, resolve, host, port) });
  return (options, callback) => {
    try {
      assertLiteralAllowed(guard, host, port);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null);
      return;
    }
    connect(options, callback);
  };
}

async function exchange(
  { url, ...init }: SafeRequest,
  { dispatcher, maxBodyBytes, signal }: { dispatcher: Dispatcher; maxBodyBytes: number; signal: AbortSignal },
): Promise<SafeResponse> {
  const response = await loadUndici().fetch(url, { ...init, dispatcher, signal, redirect: 'manual' });
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (response.body) {
    // Leaving the loop cancels the stream, which closes the connection instead of draining it.
    for await (const chunk of response.body) {
      if (!(chunk instanceof Uint8Array)) continue;
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size > maxBodyBytes) break;
    }
  }
  const body = Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8');
  return { status: response.status, headers: response.headers, body, truncated: size > maxBodyBytes };
}
