import type { Server } from 'node:net';

/** Receiver is a local server that plays the other side of a notification channel. */
export interface Receiver {
  up(): Promise<void>;
  down(): Promise<void>;
  close(): Promise<void>;
}

/** portOf lets a server listen on that port of 127.0.0.1, a free one for 0, and tells which it is. */
export async function portOf(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
