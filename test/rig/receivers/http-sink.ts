import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { portOf, type Receiver } from './receiver.js';

/** SinkRequest is one request as it arrived. */
export interface SinkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** When all of it was there, on the clock of performance.now(). */
  readonly atMs: number;
}

/** SinkAnswer is what a sink says to a request. */
export interface SinkAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** HttpSink is a server on 127.0.0.1 that keeps every request, and deduplicates nothing; it can be taken down and brought back. */
export class HttpSink implements Receiver {
  readonly requests: SinkRequest[] = [];
  /** Connections that were opened, also those that carried no request. */
  connections = 0;
  /** What is answered from now on. */
  answer: (request: SinkRequest) => SinkAnswer = () => ({ status: 200, body: 'ok' });
  /** Answers wait for this. */
  delay: Promise<void> = Promise.resolve();
  private server: Server | null = null;
  private port = 0;

  /** open listens on a free port. */
  static async open(): Promise<HttpSink> {
    const sink = new HttpSink();
    await sink.up();
    return sink;
  }

  /** url has no path. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** up listens, on the same port as before. */
  async up(): Promise<void> {
    const server = createServer((request, response) => {
      this.take(request).then(
        ({ status, headers, body = '' }) => response.writeHead(status, headers).end(body),
        () => response.destroy(),
      );
    });
    server.on('connection', () => (this.connections += 1));
    this.port = await portOf(server, this.port);
    this.server = server;
  }

  /** down closes the port: connections are refused from now on. */
  async down(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (!server) return;
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  close(): Promise<void> {
    return this.down();
  }

  private async take(incoming: IncomingMessage): Promise<SinkAnswer> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    const { method = '', url: path = '', headers } = incoming;
    const request = { method, path, headers, body: Buffer.concat(chunks).toString('utf8'), atMs: performance.now() };
    this.requests.push(request);
    await this.delay;
    return this.answer(request);
  }
}
