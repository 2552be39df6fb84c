import type { Server } from 'node:http';

/** How long an idle connection may bring one more request after the server has ceased to listen. */
const PARTING_MS = 200;

/**
 * partSlowly has a server that is closed keep its idle connections for a moment. Node ends them at once, and with them each
 * request that is on its way there: a proxy that keeps connections does not know then whether it was carried out, and
 * answers 502. In this moment such a request is answered, if only with 503. What falls idle later is ended, too: Node looks
 * but once, and the server would wait for whoever is connected.
 */
export function partSlowly(server: Server, partingMs = PARTING_MS): void {
  const endIdle = server.closeIdleConnections.bind(server);
  let timer: NodeJS.Timeout | undefined;
  // What Node's own close calls.
  server.closeIdleConnections = () => {
    timer ??= setInterval(endIdle, partingMs);
  };
  server.once('close', () => clearInterval(timer));
}
