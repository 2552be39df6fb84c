import { ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { ProblemCode } from '@tidemark/types';
import { StoreFault } from '../store/store-fault.js';
import { HttpProblem } from './problem.js';

const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'malformed_body',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  413: 'body_too_large',
  414: 'not_found',
  415: 'unsupported_media_type',
  422: 'validation_failed',
  503: 'draining',
};

/** ProblemFilter answers whatever a handler throws with a problem document. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.log);
  }
}

/** sendProblem answers a request with the problem that an error amounts to; only defects of ours are logged as errors. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Logger): void {
  const problem = isOfMediaType(error) ? mediaTypeProblem(request) : toProblem(error);
  if (problem.status === 500)
    log.error({ requestId: request.id, err: error, route: request.routeOptions.url }, 'a request failed');
  else if (problem.cause !== undefined && problem.status > 500) {
    // Where it happened says nothing about a disk or a network, and while one is away every request brings a line.
    const reason = problem.cause instanceof Error ? problem.cause.message : 'unknown';
    log.warn({ requestId: request.id, code: problem.code, reason }, problem.message);
  }
  if (reply.sent) return;
  void reply
    .status(problem.status)
    .headers(problem.headers)
    .type('application/problem+json')
    .send(JSON.stringify(problem.document(request.id)));
}

/** toProblem is the problem that an error amounts to: its own, the one of its HTTP status, or a defect. */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (isAway(error)) {
    const detail = isOfPoints(error)
      ? 'the database of points does not answer now, so none can be read; new ones are taken; try again'
      : 'a database that this needs does not answer now; try again';
    return new HttpProblem('storage_unavailable', detail, { retryAfterS: retryAfterS(error), cause: error });
  }
  if (isOfDisk(error)) {
    const detail = 'the state can be neither read nor written now: its disk is full or fails; try again';
    return new HttpProblem('storage_unavailable', detail, { retryAfterS: 1, cause: error });
  }
  const status = statusOf(error);
  const code = BY_STATUS[status];
  const detail = error instanceof Error ? error.message : 'the request failed';
  return code
    ? new HttpProblem(code, detail, status === 503 ? { retryAfterS: 2 } : {})
    : new HttpProblem('internal', 'an unexpected error; the log has it under the request id', { cause: error });
}

/** Only Fastify itself refuses a type so: what we refuse is a problem already. */
function isOfMediaType(error: unknown): boolean {
  return !(error instanceof HttpProblem) && statusOf(error) === 415;
}

/** Says what came and what is taken: a client such as curl sends a form unless it is told otherwise. */
function mediaTypeProblem({ headers, routeOptions }: FastifyRequest): HttpProblem {
  const given = headers['content-type'];
  const came = given === undefined ? 'without a content-type' : `as ${JSON.stringify(given.slice(0, 100))}`;
  const taken = (routeOptions.url ?? '').endsWith('/batch')
    ? 'application/json or application/x-ndjson'
    : 'application/json';
  return new HttpProblem(
    'unsupported_media_type',
    `the body came ${came}; the route takes ${taken}: send that header, with curl -H 'content-type: application/json'`,
  );
}

/** A database that is away is neither the client's fault nor a defect: the same request works when it is back. */
function isAway(error: unknown): boolean {
  return codeOf(error) === 'STATE_UNAVAILABLE' || isOfPoints(error);
}

/** What SQLite says of a disk that is full, fails, or can only be read, and of a file that another program holds. */
const DISK_FAULT = /^SQLITE_(FULL|IOERR|BUSY|CANTOPEN|READONLY)(_|$)/;

function isOfDisk(error: unknown): boolean {
  const code = codeOf(error);
  return typeof code === 'string' && DISK_FAULT.test(code);
}

/** Only a server of points fails so, and before it stands a spool. */
function isOfPoints(error: unknown): boolean {
  return codeOf(error) === 'STORE_FAULT';
}

/** A server that hung is seldom back within a second, and whoever asks it again waits again; a busy one says for how long. */
function retryAfterS(error: unknown): number {
  if (!(error instanceof StoreFault)) return 1;
  if (error.retryAfterMs !== null) return Math.min(60, Math.max(1, error.retryAfterMs / 1000));
  return error.kind === 'timeout' ? 5 : 1;
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  if (typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number')
    return error.statusCode;
  return 500;
}
