import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { isRecord } from '../is-record.js';

/** Exchange is one request that reached the server. */
export interface Exchange {
  readonly path: string;
  readonly key: string;
  readonly headers: IncomingHttpHeaders;
  /** bytes is the body's size as it came, compressed or not. */
  readonly bytes: number;
  readonly metrics: readonly Record<PropertyKey, unknown>[];
}

/** Turn is what the server does with one request that it does not know yet; what it knows it answers as before. */
export type Turn =
  | {
      readonly do: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: unknown;
    }
  /** store takes all but the items listed in `reject`; `lose` breaks the connection before the answer. */
  | { readonly do: 'store'; readonly reject?: readonly number[]; readonly lose?: boolean }
  | { readonly do: 'reset' }
  | { readonly do: 'hang' };

interface Kept {
  readonly status: number;
  readonly body: unknown;
}

/** MetricsServer is a real HTTP server that takes batches as the contract says, and misbehaves as it is told. */
export class MetricsServer {
  readonly exchanges: Exchange[] = [];
  /** stored are the points taken, each as often as it was taken. */
  readonly stored: Record<PropertyKey, unknown>[] = [];
  /** turns are used up one a request; without any left everything is stored. */
  readonly turns: Turn[] = [];
  readonly #server: Server;
  readonly #kept = new Map<string, Kept>();
  #most = 0;
  #open = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** open starts a server on `port`, by default a free one. */
  static async open(port = 0): Promise<MetricsServer> {
    const http = createServer((request, response) => void server.#handle(request, response));
    const server = new MetricsServer(http);
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  /** mostAtOnce is the largest number of requests that were open together. */
  get mostAtOnce(): number {
    return this.#most;
  }

  /** close breaks every connection and frees the port. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-expose-headers', 'retry-after');
    if (request.method === 'OPTIONS') {
      const allowed = 'authorization, content-type, content-encoding, idempotency-key';
      response
        .writeHead(204, { 'access-control-allow-headers': allowed, 'access-control-allow-methods': 'POST' })
        .end();
      return;
    }
    this.#open++;
    this.#most = Math.max(this.#most, this.#open);
    response.once('close', () => this.#open--);
    const exchange = await readExchange(request);
    if (exchange === undefined) return;
    this.exchanges.push(exchange);
    const kept = this.#kept.get(exchange.key);
    if (kept === undefined) this.#take(exchange, response);
    else answer(response, kept.status, kept.body);
  }

  #take(exchange: Exchange, response: ServerResponse): void {
    const turn = this.turns.shift() ?? { do: 'store' };
    if (turn.do === 'hang') return;
    if (turn.do === 'reset') {
      response.destroy();
      return;
    }
    if (turn.do === 'answer') {
      for (const [name, value] of Object.entries(turn.headers ?? {})) response.setHeader(name, value);
      answer(response, turn.status, turn.body);
      return;
    }
    const kept = this.#store(exchange, turn.reject ?? []);
    if (turn.lose === true) response.destroy();
    else answer(response, kept.status, kept.body);
  }

  #store({ key, metrics }: Exchange, reject: readonly number[]): Kept {
    const indexes = [...new Set(reject)].filter((index) => index < metrics.length);
    const good = metrics.filter((_, index) => !indexes.includes(index));
    this.stored.push(...good);
    const rejected = indexes.map((index) => ({
      index,
      code: 'out_of_range',
      pointer: `/metrics/${String(index)}/latency`,
      message: 'must be lower',
    }));
    const status = rejected.length === 0 ? 201 : good.length === 0 ? 422 : 207;
    const kept = { status, body: { accepted: good.length, rejected } };
    this.#kept.set(key, kept);
    return kept;
  }
}

async function readExchange(request: IncomingMessage): Promise<Exchange | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  } catch {
    return undefined;
  }
  const raw = Buffer.concat(chunks);
  const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString('utf8');
  const body: unknown = JSON.parse(text);
  const metrics: unknown[] = isRecord(body) && Array.isArray(body['metrics']) ? body['metrics'] : [];
  return {
    path: request.url ?? '',
    key: String(request.headers['idempotency-key']),
    headers: request.headers,
    bytes: raw.length,
    metrics: metrics.filter(isRecord),
  };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? {});
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}
