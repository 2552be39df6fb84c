import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { BatchBody, decode, parseJson, parseLines } from '../ingest/body.js';
import { accessOf } from './access.js';
import { authenticate, type KeyRing } from './auth.js';
import { type KeyLimiter, limitHeaders } from './key-limit.js';
import { OPERATOR } from './principal.js';
import { HttpProblem } from './problem.js';
import { refuseUnknownNames } from './query-names.js';
import { Slots } from './slots.js';
import type { Telemetry } from './telemetry.js';

/** MAX_BODY_BYTES bounds a body after decompression; batch routes take more. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** MAX_BATCH_BYTES bounds the body of a batch after decompression. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** MAX_OPEN_BYTES bounds all bodies together that are being handled. */
const MAX_OPEN_BYTES = 96 * 1024 * 1024;
/** Bodies that are inflated at once: what a compressed body grows to is known only then. */
const MAX_INFLATING = 4;

/** EdgeDeps are what every request passes before it reaches its handler. */
export interface EdgeDeps {
  readonly log: Logger;
  readonly keys: KeyRing;
  readonly keyLimit: KeyLimiter;
  readonly telemetry: Telemetry;
  readonly allowedOrigins: readonly string[];
  readonly isDraining: () => boolean;
}

/**
 * guardEdge puts in front of all handlers: draining, room for the body, origin, key, limits, names of parameters; then the
 * parsers of bodies.
 */
export function guardEdge(fastify: FastifyInstance, deps: EdgeDeps): void {
  const methods = new Map<string, Set<string>>();
  const room = new BodyRoom(MAX_OPEN_BYTES);
  fastify.addHook('onRoute', (route) => {
    if (route.url.endsWith('/batch')) route.bodyLimit = MAX_BATCH_BYTES;
    const known = methods.get(route.url) ?? new Set<string>();
    for (const method of [route.method].flat()) known.add(method);
    methods.set(route.url, known);
  });
  fastify.decorateRequest('principal', null as never);
  fastify.decorateRequest('rawBody', null);
  fastify.decorateRequest('bodyBytes', 0);
  fastify.addHook('onRequest', async (request, reply) => {
    request.principal = OPERATOR;
    void reply.header('x-request-id', request.id);
    requireHost(request, reply);
    refuseWhileDraining(request, reply, deps);
    allowOrigin(request, (name, value) => void reply.header(name, value), deps.allowedOrigins);
    if (request.method === 'OPTIONS' && request.headers.origin !== undefined) return reply.status(204).send();
    // The controllers' paths cannot end in a slash, and people do type one.
    if (request.url.split('?', 1)[0] === '/docs/') return reply.redirect('/docs', 302);
    if (request.is404) throw unknownRoute(request, methods);
    await admit(request, reply, deps);
    refuseUnknownNames(request.method, request.routeOptions.url ?? '', namesIn(request.query));
    room.hold(request, declaredBytes(request));
    reply.raw.once('close', () => room.free(request));
    return undefined;
  });
  fastify.addHook('onResponse', async (request, reply) => countAnswer(request, reply, deps));
  addParsers(fastify, room);
}

/** BodyRoom bounds the bytes of all bodies together that are being handled. */
class BodyRoom {
  private readonly gone = new WeakSet<FastifyRequest>();
  private openBytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** hold makes room for a request's body, in place of what it held; it goes free when the answer is out or the client went away. */
  hold(request: FastifyRequest, bytes: number): void {
    if (this.gone.has(request)) return;
    const more = bytes - request.bodyBytes;
    if (this.openBytes + more > this.maxBytes)
      throw new HttpProblem('overloaded', 'too many large bodies are being handled', { retryAfterS: 1 });
    this.openBytes += more;
    request.bodyBytes = bytes;
  }

  free(request: FastifyRequest): void {
    this.openBytes -= request.bodyBytes;
    this.gone.add(request);
  }
}

/** Since HTTP/1.1 a request says whom it is for (RFC 9112, section 3.2). */
function requireHost({ raw, headers }: FastifyRequest, reply: FastifyReply): void {
  if (headers.host !== undefined || raw.httpVersion === '1.0') return;
  void reply.header('connection', 'close');
  throw new HttpProblem('malformed_request', 'the request has no Host header');
}

function refuseWhileDraining(request: FastifyRequest, reply: FastifyReply, { isDraining }: EdgeDeps): void {
  if (!isDraining() || accessOf(request.method, request.routeOptions.url ?? '') === 'public') return;
  void reply.header('connection', 'close');
  throw new HttpProblem('draining', 'the server is stopping', { retryAfterS: 2 });
}

/** Finds who calls, and whether their key may call again now. */
async function admit(request: FastifyRequest, reply: FastifyReply, deps: EdgeDeps): Promise<void> {
  if (request.routeOptions.url === undefined) return;
  const access = accessOf(request.method, request.routeOptions.url);
  const caller = { headers: request.headers, remoteAddress: request.socket.remoteAddress };
  request.principal = await authenticate(caller, access, deps.keys, deps);
  const { keyId } = request.principal;
  if (keyId === null) return;
  const outcome = await deps.keyLimit.take(keyId);
  if (!outcome) return;
  void reply.headers(limitHeaders(outcome));
  if (!outcome.allowed)
    throw new HttpProblem('rate_limited', `the key may make ${outcome.limit} requests a minute`, {
      retryAfterS: outcome.retryAfterS,
    });
}

function namesIn(query: unknown): string[] {
  return typeof query === 'object' && query !== null ? Object.keys(query) : [];
}

function countAnswer(request: FastifyRequest, reply: FastifyReply, { log, telemetry }: EdgeDeps): void {
  const { method, id: requestId } = request;
  const route = request.routeOptions.url ?? 'unknown';
  const status = `${Math.floor(reply.statusCode / 100)}xx`;
  telemetry.requestSeconds.observe({ method, route, status }, reply.elapsedTime / 1000);
  log.debug({ requestId, method, route, status: reply.statusCode, ms: reply.elapsedTime }, 'answered');
}

function addParsers(fastify: FastifyInstance, room: BodyRoom): void {
  const inflating = new Slots(MAX_INFLATING);
  const plainBody = async (request: FastifyRequest, body: Buffer): Promise<Buffer> => {
    const encoding = request.headers['content-encoding'];
    const limit = request.routeOptions.bodyLimit ?? MAX_BODY_BYTES;
    const plain = encoding ? await inflating.run(() => decode(body, encoding, limit)) : body;
    room.hold(request, plain.length);
    request.rawBody = plain;
    return plain;
  };
  const asBuffer = { parseAs: 'buffer' } as const;
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', asBuffer, async (request: FastifyRequest, body: Buffer) => {
    const plain = await plainBody(request, body);
    if (isBatch(request)) return new BatchBody(plain);
    return plain.length === 0 ? undefined : parseJson(plain);
  });
  fastify.addContentTypeParser('application/x-ndjson', asBuffer, async (request: FastifyRequest, body: Buffer) => {
    if (!isBatch(request)) {
      throw new HttpProblem('unsupported_media_type', 'only batch routes take application/x-ndjson');
    }
    return parseLines(await plainBody(request, body));
  });
}

function isBatch(request: FastifyRequest): boolean {
  return (request.routeOptions.url ?? '').endsWith('/batch');
}

function unknownRoute(request: FastifyRequest, methods: ReadonlyMap<string, ReadonlySet<string>>): HttpProblem {
  const path = request.url.split('?', 1)[0] ?? '';
  const allow = allowedMethods(methods, path).join(', ');
  if (allow !== '') return new HttpProblem('method_not_allowed', `the path takes ${allow}`, { headers: { allow } });
  return new HttpProblem('not_found', `there is no ${request.method} ${path.slice(0, 200)}`);
}

/** A body of unknown length is counted at its limit, a compressed one at what metrics usually grow to. */
function declaredBytes(request: FastifyRequest): number {
  if (request.method === 'GET' || request.method === 'HEAD') return 0;
  const limit = request.routeOptions.bodyLimit ?? MAX_BODY_BYTES;
  const declared = Number(request.headers['content-length'] ?? limit);
  return Math.min(limit, request.headers['content-encoding'] === undefined ? declared : declared * 16);
}

function allowOrigin(
  request: FastifyRequest,
  header: (name: string, value: string) => void,
  allowed: readonly string[],
): void {
  const origin = request.headers.origin;
  if (origin === undefined || !allowed.includes(origin)) return;
  header('access-control-allow-origin', origin);
  header('vary', 'Origin');
  header('access-control-allow-methods', 'GET, POST, PUT, DELETE');
  header('access-control-allow-headers', 'authorization, x-api-key, content-type, content-encoding, idempotency-key');
  header(
    'access-control-expose-headers',
    'retry-after, x-request-id, ratelimit, ratelimit-policy, x-tidemark-pending-points',
  );
  header('access-control-max-age', '600');
}

function allowedMethods(methods: ReadonlyMap<string, ReadonlySet<string>>, path: string): string[] {
  const parts = path.split('/');
  for (const [pattern, known] of methods) {
    const wanted = pattern.split('/');
    if (wanted.length === parts.length && wanted.every((part, i) => part.startsWith(':') || part === parts[i]))
      return [...known];
  }
  return [];
}
