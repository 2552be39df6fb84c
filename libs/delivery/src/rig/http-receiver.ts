import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** ReceivedRequest is one request as it arrived. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** Answer is what the receiver does with a request once its body is read. */
export type Answer = (response: ServerResponse, request: ReceivedRequest) => void;

/** HttpReceiver is a real HTTP server that keeps what it receives and counts its connections. */
export interface HttpReceiver {
  readonly url: string;
  readonly port: number;
  readonly requests: ReceivedRequest[];
  connections(): number;
  answerWith(answer: Answer): void;
  close(): Promise<void>;
}

/** openHttpReceiver listens on `host` at a free port, or at `port`; it answers 200 until told otherwise. */
export async function openHttpReceiver(host = '127.0.0.1', port = 0): Promise<HttpReceiver> {
  const requests: ReceivedRequest[] = [];
  let answer: Answer = (response) => response.writeHead(200).end('ok');
  let connections = 0;
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url = '', headers, rawHeaders } = request;
      const received = { method, path: url, headers, rawHeaders, body };
      requests.push(received);
      answer(response, received);
    });
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${host}:${bound}/hook`,
    port: bound,
    requests,
    connections: () => connections,
    answerWith: (next) => {
      answer = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
