import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { MAX_ID_LENGTH } from '@tidemark/types';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { compose, type Composition } from './compose.js';
import type { Config } from './config.js';
import { HttpModule } from './http.module.js';
import { LiveAdapter } from './live/live-adapter.js';
import type { Clock } from '@tidemark/program';
import { answerClientFault, OpenAnswers } from './platform/client-fault.js';
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
  let close = composition.close;
  try {
    const answers = new OpenAnswers();
    const adapter = adapterOf(log, answers);
    const fastify = adapter.getInstance();
    answers.watch(fastify.server);
    partSlowly(fastify.server);
    guardEdge(fastify, composition.edge);
    const app = await createApp(adapter, composition, log);
    close = () => app.close().finally(composition.close);
    await app.init();
    await fastify.listen({ port: config.port, host: config.host });
    composition.listening();
    return { url: urlOf(fastify.server.address(), config.host), stop: () => stop(app, composition, config.drainMs) };
  } catch (error) {
    // What closing has to say is of no use to whoever must hear why it did not start.
    await Promise.allSettled([close()]);
    throw error;
  }
}

function adapterOf(log: Logger, answers: OpenAnswers): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: MAX_BODY_BYTES,
    // An id in a path, when every UTF-16 unit of it is escaped.
    routerOptions: { maxParamLength: 9 * MAX_ID_LENGTH },
    // A URL that cannot be read gets to no hook and no filter.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(error, request, reply, log),
    // What Node's parser refuses is not even a request.
    clientErrorHandler: (error, socket) => answerClientFault(error, socket, randomUUID(), answers),
    // A client has this long to send a whole request; connections are looked at every second.
    requestTimeout: 12_000,
    keepAliveTimeout: 72_000,
    // The edge says better than Node what is wrong with a request without a Host.
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 1000, requireHostHeader: false },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
  });
}

async function createApp(
  adapter: FastifyAdapter,
  { providers, liveDoor: door }: Composition,
  log: Logger,
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(HttpModule.with([...providers]), adapter, {
    logger: nestLog(log),
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(log));
  const server = app.getHttpServer();
  // An expectation that is not known may be ignored (RFC 9110, section 10.1.1); Node alone would refuse it without a word.
  server.on('checkExpectation', (...exchange: unknown[]) => server.emit('request', ...exchange));
  const onFault = (error: unknown) => log.error({ err: error }, 'the live feed could not be opened');
  app.useWebSocketAdapter(new LiveAdapter(server, { door, requestId: randomUUID, onFault }));
  return app;
}

async function stop(app: NestFastifyApplication, composition: Composition, drainMs: number): Promise<void> {
  await composition.drain();
  const deadline = setTimeout(() => app.getHttpServer().closeAllConnections(), drainMs);
  try {
    await app.close();
  } finally {
    clearTimeout(deadline);
    await composition.close();
  }
}

/** The name that was asked for, with the port that was given. */
function urlOf(address: AddressInfo | string | null, host: string): string {
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${isIP(reachable) === 6 ? `[${reachable}]` : reachable}:${port}`;
}
