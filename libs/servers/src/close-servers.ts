import type { LocalServer } from './local-server.js';

/**
 * closeServers ends servers, last started first. One that fails keeps no other from ending; at the end an AggregateError
 * names all that failed.
 */
export async function closeServers(servers: readonly LocalServer[]): Promise<void> {
  const failures: Error[] = [];
  for (const server of servers.toReversed()) {
    try {
      await server.close();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      failures.push(new Error(`${server.kind.name} could not be ended: ${reason}`, { cause }));
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('; '));
}
