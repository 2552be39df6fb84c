import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { HttpProblem } from './problem.js';
import { writeProblem } from './write-problem.js';

/** ClientFault is what Node's parser of HTTP says of a request that never became one. */
export interface ClientFault {
  readonly code?: string;
  /** Words of the parser's own, for a person. */
  readonly reason?: string;
}

/** problemOf is the problem that such a request is answered with. */
export function problemOf({ code, reason }: ClientFault): HttpProblem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpProblem('request_timeout', 'the request did not arrive in time');
    case 'HPE_HEADER_OVERFLOW':
      return new HttpProblem('headers_too_large', 'the request line and the headers are larger than 16 KB');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new HttpProblem('body_too_large', 'the extensions of a chunk are too large');
    case 'HPE_INVALID_METHOD':
      return new HttpProblem('malformed_request', 'the request does not begin with a method that is known here');
    default:
      return new HttpProblem('malformed_request', `this is not HTTP/1.1: ${reason ?? 'it cannot be read'}`);
  }
}

/** OpenAnswers knows the answers of a server that have not ended, by their connection: pipelined ones are several. */
export class OpenAnswers {
  private readonly bySocket = new WeakMap<Duplex, Set<ServerResponse>>();

  /** watch notes each answer of the server from now on. */
  watch(server: Server): void {
    server.on('request', ({ socket }, answer) => {
      const open = this.bySocket.get(socket) ?? new Set();
      this.bySocket.set(socket, open.add(answer));
      answer.once('close', () => open.delete(answer));
    });
  }

  /** hasBegun tells whether something of an answer may have been sent over the connection that has not ended. */
  hasBegun(socket: Duplex): boolean {
    return [...(this.bySocket.get(socket) ?? [])].some((answer) => answer.headersSent);
  }
}

/**
 * answerClientFault answers, on the bare socket, what the parser refused, and hangs up: where the next request would begin,
 * nobody knows. A handler may know the request already, where its body cannot be read, and may have begun to answer it or
 * one before it: a problem would then stand in the middle of that answer, so it breaks off instead.
 */
export function answerClientFault(fault: ClientFault, socket: Duplex, requestId: string, answers: OpenAnswers): void {
  if (fault.code === 'ECONNRESET' || !socket.writable || answers.hasBegun(socket)) return void socket.destroy();
  writeProblem(socket, problemOf(fault), requestId);
}
