import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** Passage is a request that came to the proxy. */
export interface Passage {
  readonly path: string;
  readonly body: string;
}

/** Verdict: let it through, refuse it before the server sees it, lose the server's answer, or never say anything. */
export type Verdict = 'pass' | 'refuse' | 'lose' | 'hang';

/** FaultProxy stands between a store and its server, and breaks the network as a test wants. */
export interface FaultProxy {
  readonly url: string;
  /** Decides about each request; all pass at first. */
  judge: (passage: Passage) => Verdict;
  readonly sockets: () => number;
  /** Nothing passes any more: for the server the process on the other side is dead. */
  readonly close: () => Promise<void>;
}

/** openFaultProxy opens a proxy to a server on a free port. */
export async function openFaultProxy(target: string): Promise<FaultProxy> {
  const open = new Set<Socket>();
  let most = 0;
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk as Uint8Array));
    const body = Buffer.concat(chunks);
    const path = incoming.url ?? '/';
    const verdict = proxy.judge({ path, body: body.toString('utf8') });
    if (verdict === 'refuse') return void incoming.socket.destroy();
    if (verdict === 'hang') return;
    const forward = request(`${target}${path}`, {
      method: incoming.method,
      headers: { ...incoming.headers, host: '' },
    });
    forward.on('error', () => incoming.socket.destroy());
    forward.on('response', (answer) => {
      if (verdict === 'lose') {
        answer.resume().on('end', () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    forward.end(body);
  };
  const server = createServer((incoming, outgoing) => void handle(incoming, outgoing).catch(() => outgoing.destroy()));
  server.on('connection', (socket) => {
    open.add(socket);
    most = Math.max(most, open.size);
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${port}`,
    judge: () => 'pass',
    sockets: () => most,
    close: async () => {
      proxy.judge = () => 'refuse';
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return proxy;
}
