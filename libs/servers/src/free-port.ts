import { once } from 'node:events';
import { createServer } from 'node:net';

/** freePort answers a TCP port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a listening socket has no port');
  return address.port;
}

/** requireFree throws where somebody listens on a TCP port of 127.0.0.1. */
export async function requireFree(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(`port ${port} is in use; stop the other program or choose another port`, { cause: error });
  }
  server.close();
  await once(server, 'close');
}
