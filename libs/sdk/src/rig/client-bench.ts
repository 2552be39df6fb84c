import { Tidemark } from '../client.js';
import type { TidemarkOptions } from '../options.js';
import { MetricsServer } from './metrics-server.js';

const FAST = { flushIntervalMs: 5, retryBaseMs: 2, retryMaxMs: 10, breakerOpenMs: 20, breakerMaxOpenMs: 40 };

/** ClientBench is a server and quick clients of it, whose warnings it keeps. */
export class ClientBench {
  readonly server: MetricsServer;
  readonly lines: string[] = [];
  readonly #clients: Tidemark[] = [];

  private constructor(server: MetricsServer) {
    this.server = server;
  }

  static async open(): Promise<ClientBench> {
    return new ClientBench(await MetricsServer.open());
  }

  /** connect makes a client of the server. */
  connect(options: Partial<TidemarkOptions> = {}): Tidemark {
    const warn = (line: string): void => void this.lines.push(line);
    const client = new Tidemark({ url: this.server.url, warn, ...FAST, ...options });
    this.#clients.push(client);
    return client;
  }

  /** storedIds answers the request ids of the points that the server took. */
  storedIds(): unknown[] {
    return this.server.stored.map((point) => point['request_id']);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close(0)));
    await this.server.close();
  }
}

/** recordMany records `count` points named r0, r1, ... */
export function recordMany(client: Tidemark, count: number): void {
  for (let i = 0; i < count; i++) {
    client.record({ modelId: 'm', modelType: 'llm', latencyMs: 1 + i, requestId: `r${String(i)}` });
  }
}
