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

/**
 * answerClientFault answers, on the bare socket, a request that the parser refused before any handler or hook saw it, and
 * hangs up: where the next request would begin, nobody knows.
 */
export function answerClientFault(fault: ClientFault, socket: Duplex, requestId: string): void {
  if (fault.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  writeProblem(socket, problemOf(fault), requestId);
}
