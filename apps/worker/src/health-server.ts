import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';

/** Health is what a worker tells of itself. */
export interface Health {
  /** isAlive tells whether it makes progress: one that cannot is to be started anew. */
  readonly isAlive: () => boolean;
  /** isReady tells whether it takes deliveries now. */
  readonly isReady: () => Promise<boolean>;
  /** metrics are its figures in Prometheus's text format. */
  readonly metrics: () => Promise<string>;
}

/** HealthServer answers `/livez`, `/readyz` and `/metrics`, and nothing else. */
export class HealthServer {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** start listens; it rejects where it cannot. */
  static async start(
    health: Health,
    { host, port }: { readonly host: string; readonly port: number },
  ): Promise<HealthServer> {
    const server = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, (request, response) => {
      answer(health, request, response).catch(() => response.destroy());
    });
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    const actual = typeof address === 'object' && address !== null ? address.port : port;
    return new HealthServer(server, `http://${isIP(host) === 6 ? `[${host}]` : host}:${actual}`);
  }

  /** close refuses connections and ends those that are open. */
  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

async function answer(health: Health, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  const path = (request.url ?? '').split('?', 1)[0];
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(response, 405, { status: 'method_not_allowed' });
  switch (path) {
    case '/livez':
      return health.isAlive() ? send(response, 200, { status: 'alive' }) : send(response, 503, { status: 'stuck' });
    case '/readyz':
      return (await health.isReady())
        ? send(response, 200, { status: 'ready' })
        : send(response, 503, { status: 'not_ready' });
    case '/metrics':
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(await health.metrics());
      return;
    default:
      return send(response, 404, { status: 'not_found' });
  }
}

function send(response: ServerResponse, status: number, body: Readonly<Record<string, string>>): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}
