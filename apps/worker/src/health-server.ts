import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { answerWithin } from '@tidemark/program';

/** Health is what a worker tells of itself. */
export interface Health {
  /** isAlive tells whether it makes progress: one that cannot is to be started anew. */
  readonly isAlive: () => boolean;
  /** isReady tells whether it takes deliveries now. */
  readonly isReady: () => Promise<boolean>;
  /** metrics are its figures in Prometheus's text format. */
  readonly metrics: () => Promise<string>;
}

/** How long the database may take to answer before the worker counts as not ready; well within what a probe waits. */
const READY_WITHIN_MS = 1500;

/** HealthServer answers `/livez`, `/readyz` and `/metrics`, and nothing else. */
export class HealthServer {
  private isDraining = false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** start listens; it rejects where it cannot. */
  static async start(
    health: Health,
    { host, port }: { readonly host: string; readonly port: number },
  ): Promise<HealthServer> {
    let started: HealthServer | null = null;
    const told: Health = { ...health, isReady: async () => !started?.isDraining && (await saysYes(health.isReady)) };
    const server = createServer({ requestTimeout: 5000, headersTimeout: 5000 }, (request, response) => {
      answer(told, request, response).catch(() => response.destroy());
    });
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    const actual = typeof address === 'object' && address !== null ? address.port : port;
    return (started = new HealthServer(server, `http://${isIP(host) === 6 ? `[${host}]` : host}:${actual}`));
  }

  /** drain answers from now on that the worker takes no more; it is alive as long as it was. */
  drain(): void {
    this.isDraining = true;
  }

  /** close refuses connections and ends those that are open. */
  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

/** A question that hangs, or fails, is answered with no. */
function saysYes(isReady: () => Promise<boolean>): Promise<boolean> {
  return answerWithin(READY_WITHIN_MS, isReady).catch(() => false);
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
