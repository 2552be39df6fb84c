import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { MAX_ID_LENGTH } from '@tidemark/types';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { compose } from './compose.js';
import type { Config } from './config.js';
import { HttpModule } from './http.module.js';
import { LiveAdapter } from './live/live-adapter.js';
import type { Clock } from '@tidemark/program';
import { guardEdge, MAX_BODY_BYTES } from './platform/edge.js';
import { nestLog } from './platform/nest-log.js';
import { partSlowly } from './platform/part-slowly.js';
import { ProblemFilter, sendProblem } from './platform/problem-filter.js';

/** Server is the platform, listening. */
export interface Server {
  readonly url: string;
  /** stop refuses new work, finishes what was begun (within the drain time), and closes everything. */
  readonly stop: () => Promise<void>;
}

/** ServerOptions are what a server is started with. */
export interface ServerOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly fatal: (error: Error) => void;
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** startServer opens the platform and listens; it throws, with everything closed again, when it cannot. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { config, log } = options;
  const composition = await compose(options);
  const adapter = new FastifyAdapter({
    bodyLimit: MAX_BODY_BYTES,
    // An id in a path, when every UTF-16 unit of it is escaped.
    routerOptions: { maxParamLength: 9 * MAX_ID_LENGTH },
    // A URL that cannot be read gets to no hook and no filter.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(error, request, reply, log),
    // A client has this long to send a whole request; connections are looked at every second.
    requestTimeout: 12_000,
    keepAliveTimeout: 72_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1000 },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
  });
  partSlowly(adapter.getInstance().server);
  guardEdge(adapter.getInstance(), composition.edge);
  const app = await NestFactory.create<NestFastifyApplication>(HttpModule.with([...composition.providers]), adapter, {
    logger: nestLog(log),
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(log));
  const onFault = (error: unknown) => log.error({ err: error }, 'the live feed could not be opened');
  app.useWebSocketAdapter(
    new LiveAdapter(app.getHttpServer(), { door: composition.liveDoor, requestId: randomUUID, onFault }),
  );
  try {
    await app.init();
    await adapter.getInstance().listen({ port: config.port, host: config.host });
  } catch (error) {
    await app.close();
    await composition.close();
    throw error;
  }
  composition.listening();
  const url = urlOf(adapter.getInstance().server.address(), config.host);
  return {
    url,
    stop: async () => {
      await composition.drain();
      const deadline = setTimeout(() => app.getHttpServer().closeAllConnections(), config.drainMs);
      try {
        await app.close();
      } finally {
        clearTimeout(deadline);
        await composition.close();
      }
    },
  };
}

/** The name that was asked for, with the port that was given. */
function urlOf(address: AddressInfo | string | null, host: string): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${isIP(reachable) === 6 ? `[${reachable}]` : reachable}:${port}`;
}
