import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenLocally } from './listen-locally.js';
import { readLimited } from './read-limited.js';

/** Receiver is a local server that plays the other side of a notification channel until it is closed. */
export interface Receiver {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Answer is what an HTTP receiver says: a status and a plain text. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

const MAX_BODY_BYTES = 1024 * 1024;

/**
 * startHttpReceiver listens on a free port of 127.0.0.1 and answers every POST and PUT with what `answer` makes of it;
 * other methods get 405, bodies over 1 MiB 413.
 */
export async function startHttpReceiver(
  path: string,
  answer: (body: string, headers: IncomingHttpHeaders) => Answer,
): Promise<Receiver> {
  const server = createServer((request, response) => {
    respond(request, answer).then(
      ({ status, text }) => send(response, status, text),
      (error: unknown) => send(response, 500, String(error)),
    );
  });
  const port = await listenLocally(server);
  return {
    port,
    url: `http://127.0.0.1:${port}${path}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function respond(
  request: IncomingMessage,
  answer: (body: string, headers: IncomingHttpHeaders) => Answer,
): Promise<Answer> {
  if (request.method !== 'POST' && request.method !== 'PUT') return { status: 405, text: 'POST or PUT only' };
  const body = await readLimited(request, MAX_BODY_BYTES);
  if (body === undefined) return { status: 413, text: 'too large' };
  return answer(body.toString('utf8'), request.headers);
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(text);
}
