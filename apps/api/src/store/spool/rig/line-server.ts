import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Reply is what a LineServer does with a request: it answers, keeps the good lines of it, or never answers. */
export type Reply =
  | { readonly kind: 'store' }
  | { readonly kind: 'hang' }
  /** Stores, and answers so late. */
  | { readonly kind: 'store_late'; readonly ms: number }
  /** Stores the lines that are not in `bad`, and answers 400; with `whole` it stores none of them. */
  | { readonly kind: 'partial'; readonly bad: ReadonlySet<string>; readonly whole?: boolean }
  | { readonly kind: 'refuse'; readonly status: number; readonly headers?: Readonly<Record<string, string>> };

/** Arrival is a request as the server saw it. */
export interface Arrival {
  readonly atMs: number;
  readonly lines: readonly string[];
  readonly bytes: number;
}

/** LineServer takes lines over HTTP as InfluxDB does, and misbehaves as it is told: broken networks are what a test may fake. */
export class LineServer {
  /** What to do with a request; it is asked when the whole body is there. */
  reply: (arrival: Arrival) => Reply = () => ({ kind: 'store' });
  readonly arrivals: Arrival[] = [];
  /** Every line that was stored, once, in the order of its first arrival. */
  readonly stored = new Set<string>();
  /** The most connections that were open at a time. */
  mostSockets = 0;
  private readonly sockets = new Set<Socket>();
  private server: Server | null = null;
  private port = 0;

  static async start(): Promise<LineServer> {
    const server = new LineServer();
    await server.listen();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** listen opens its port again after `vanish`. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => void this.take(request, response));
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      this.mostSockets = Math.max(this.mostSockets, this.sockets.size);
      socket.on('close', () => this.sockets.delete(socket));
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address) this.port = address.port;
    this.server = server;
  }

  /** vanish breaks every connection and refuses new ones. */
  async vanish(): Promise<void> {
    const closed = new Promise((resolve) => this.server?.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      const body = Buffer.concat(chunks);
      const arrival = { atMs: performance.now(), lines: body.toString().trimEnd().split('\n'), bytes: body.length };
      this.arrivals.push(arrival);
      this.answer(arrival, this.reply(arrival), response);
    } catch {
      response.destroy(); // the client gave up in the middle of its request
    }
  }

  private answer({ lines }: Arrival, reply: Reply, response: ServerResponse): void {
    switch (reply.kind) {
      case 'hang':
        return;
      case 'store':
        this.store(lines);
        response.writeHead(204).end();
        return;
      case 'store_late':
        this.store(lines);
        setTimeout(() => response.writeHead(204).end(), reply.ms);
        return;
      case 'partial': {
        const good = lines.filter((line) => !reply.bad.has(line));
        const isGood = good.length === lines.length;
        if (isGood || !reply.whole) this.store(good);
        response.writeHead(isGood ? 204 : 400);
        response.end(isGood ? '' : `{"error":"partial write: dropped=${lines.length - good.length}"}`);
        return;
      }
      case 'refuse':
        response.writeHead(reply.status, reply.headers).end('{"error":"no"}');
    }
  }

  private store(lines: readonly string[]): void {
    for (const line of lines) this.stored.add(line);
  }
}

/** startLineServer starts one for the test that runs now, which also ends it. */
export async function startLineServer(): Promise<LineServer> {
  const server = await LineServer.start();
  onTestFinished(() => server.vanish());
  return server;
}
