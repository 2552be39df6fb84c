import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { partSlowly } from './part-slowly.js';

const REQUEST = 'GET / HTTP/1.1\r\nHost: here\r\n\r\n';

async function listening(partingMs?: number): Promise<Server> {
  const server = createServer((_request, response) => {
    if (!server.listening) response.setHeader('connection', 'close');
    response.end('answered');
  });
  partSlowly(server, partingMs);
  onTestFinished(() => server.closeAllConnections());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

/** A connection that has carried one request, and waits for the next. */
async function idleConnection(server: Server): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  expect(await asked(socket)).toContain('keep-alive');
  return socket;
}

async function asked(socket: Socket): Promise<string> {
  socket.write(REQUEST);
  const [answer] = await once(socket, 'data');
  return String(answer).toLowerCase();
}

test('a request that comes over an idle connection while the server closes is answered', async () => {
  const server = await listening(60_000);
  const socket = await idleConnection(server);
  const closed = once(server, 'close');
  server.close();
  const answer = await asked(socket);
  expect(answer).toContain('answered');
  expect(answer).toContain('connection: close');
  await closed;
});

test('a connection over which nothing comes holds up no close, and no new one is taken', async () => {
  const server = await listening();
  const { port } = server.address() as AddressInfo;
  const socket = await idleConnection(server);
  const [ended, closed] = [once(socket, 'close'), once(server, 'close')];
  server.close();
  const late = connect(port, '127.0.0.1');
  await expect(once(late, 'connect')).rejects.toThrow(/ECONNREFUSED/);
  await Promise.all([ended, closed]);
});

test('a connection that falls idle only after the close began is ended, too', async () => {
  let answer = (): void => undefined;
  const server = createServer((_request, response) => (answer = () => void response.end('late')));
  partSlowly(server);
  onTestFinished(() => server.closeAllConnections());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
  const begun = once(server, 'request');
  socket.write(REQUEST);
  await begun;
  const closed = once(server, 'close');
  server.close();
  answer();
  await Promise.all([once(socket, 'close'), closed]);
});
