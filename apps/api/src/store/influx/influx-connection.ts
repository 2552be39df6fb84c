import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpError, InfluxDB, type Transport } from '@influxdata/influxdb-client';
import { StoreFault } from '../store-fault.js';
import { Ending } from './ending.js';
import { toStoreFault } from './fault-of.js';
import { authorizationOf, type Generation } from './generation.js';
import { Pulse } from './pulse.js';
import { readAnswer, type ResultSet } from './query-answer.js';
import type { Shelf } from './shelf.js';

/**
 * Sockets: two batches at a time, what a spool drains, and rollups, which would else wait for the batches; so many does a
 * server hold that hangs. Queries must not wait for a slow write.
 */
const WRITE_SOCKETS = 4;
const QUERY_SOCKETS = 4;

/** ConnectionOptions say where the server is. */
export interface ConnectionOptions {
  readonly url: string;
  /** A token; `user:password` for 1.x with authentication; empty without. */
  readonly token: string;
  /** The organisation, which only 2.x knows. */
  readonly org: string;
  /** The database; on 2.x and 3 the part of the buckets' names before the slash. */
  readonly database: string;
  readonly writeTimeoutMs: number;
  readonly queryTimeoutMs: number;
  /** How long the server may be silent, to everyone with the same pulse, before a query is given up; for ever when absent. */
  readonly quietTimeoutMs?: number;
  /** Shared with other connections to the same server; its own when absent. */
  readonly pulse?: Pulse;
}

/** InfluxConnection sends requests to one server. The client library carries bytes; retries, batches and encoding are ours. */
export class InfluxConnection {
  private readonly writes: Transport;
  private readonly writeAgent: HttpAgent;
  private readonly queryAgent: HttpAgent;
  private readonly queries: Transport;
  private readonly pulse: Pulse;
  /** Ends each request that is under way. One signal for all of them would gather their listeners. */
  private readonly underWay = new Set<Ending>();
  private isClosed = false;

  constructor(
    private readonly options: ConnectionOptions,
    private readonly generation: Generation,
  ) {
    [this.writeAgent, this.writes] = openTransport(options, WRITE_SOCKETS);
    [this.queryAgent, this.queries] = openTransport(options, QUERY_SOCKETS);
    this.pulse = options.pulse ?? new Pulse();
  }

  /** write resolves when the server has stored every line. Rejects with a StoreFault, or with the signal's reason. */
  async write(shelf: Shelf, lines: Uint8Array, signal?: AbortSignal): Promise<void> {
    const { database, org, writeTimeoutMs } = this.options;
    const path =
      this.generation === '1'
        ? `/write?db=${encodeURIComponent(database)}&rp=${shelf}&precision=ns`
        : `/api/v2/write?org=${encodeURIComponent(org)}&bucket=${encodeURIComponent(`${database}/${shelf}`)}&precision=ns`;
    const request = { method: 'POST', path, body: lines, type: 'text/plain; charset=utf-8' };
    await this.send(this.writes, request, writeTimeoutMs, signal);
  }

  /** query asks a statement, or several parted by semicolons, and answers times in ms. Rejects with a StoreFault. */
  async query(shelf: Shelf, text: string, signal?: AbortSignal): Promise<readonly ResultSet[]> {
    const { database, queryTimeoutMs } = this.options;
    const path = `/query?db=${encodeURIComponent(database)}&rp=${shelf}&epoch=ms`;
    return readAnswer(await this.form(path, text, queryTimeoutMs, signal));
  }

  /** define runs a statement that defines something, such as CREATE DATABASE. */
  async define(text: string): Promise<void> {
    readAnswer(await this.form('/query', text, this.options.queryTimeoutMs));
  }

  /** api calls one of the server's own routes with a JSON body, and answers its text. */
  async api(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<string> {
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
    const request = { method, path, body: bytes, type: 'application/json' };
    return (await this.send(this.queries, request, this.options.queryTimeoutMs, signal)).toString('utf8');
  }

  /** close ends what is under way; it and all that follows rejects with a StoreFault. */
  close(): void {
    this.isClosed = true;
    for (const ending of this.underWay) ending.abort();
    this.writeAgent.destroy();
    this.queryAgent.destroy();
  }

  private async form(path: string, text: string, timeoutMs: number, signal?: AbortSignal): Promise<string> {
    const body = Buffer.from(`q=${encodeURIComponent(text)}`);
    const request = { method: 'POST', path, body, type: 'application/x-www-form-urlencoded' };
    return (await this.send(this.queries, request, timeoutMs, signal)).toString('utf8');
  }

  private async send(transport: Transport, request: Request, timeoutMs: number, signal?: AbortSignal): Promise<Buffer> {
    if (this.isClosed) throw new StoreFault('unreachable', 'the connection to InfluxDB is closed');
    const { quietTimeoutMs } = this.options;
    const silence =
      quietTimeoutMs === undefined || transport === this.writes ? null : this.pulse.listen(quietTimeoutMs);
    const ending = Ending.begin(timeoutMs, [signal, silence?.signal]);
    const authorization = authorizationOf(this.options.token);
    const options = {
      method: request.method,
      headers: {
        'content-type': request.type,
        accept: 'application/json',
        ...(authorization === null ? {} : { authorization }),
      },
      signal: ending.signal,
    };
    const chunks: Uint8Array[] = [];
    this.underWay.add(ending);
    try {
      const body = withoutCopy(request.body);
      for await (const chunk of transport.iterate(request.path, body, options)) {
        this.pulse.felt();
        chunks.push(chunk);
      }
      // The answer to a write has no body.
      this.pulse.felt();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof HttpError) this.pulse.felt();
      throw toStoreFault(error, ending.wasLate || (silence?.signal.aborted ?? false));
    } finally {
      ending.stop();
      silence?.stop();
      this.underWay.delete(ending);
    }
    return Buffer.concat(chunks);
  }
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array;
  readonly type: string;
}

/**
 * withoutCopy is bytes as the library sends them without copying them first: as the whole memory that they are in. It makes
 * a Buffer of whatever it is given, and of an ArrayBuffer that is a view.
 */
function withoutCopy(bytes: Uint8Array): Uint8Array | ArrayBufferLike {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes;
}

/** openTransport leaves timeouts to the signal of each request: the library's own does not end the request. */
function openTransport({ url }: ConnectionOptions, maxSockets: number): [HttpAgent, Transport] {
  const agent =
    new URL(url).protocol === 'https:'
      ? new HttpsAgent({ keepAlive: true, maxSockets })
      : new HttpAgent({ keepAlive: true, maxSockets });
  return [agent, new InfluxDB({ url, timeout: 0, transportOptions: { agent } }).transport];
}
