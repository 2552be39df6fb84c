import { openRedis, type RedisLink } from '@tidemark/redis/open';
import { type LocalServer, startRedis } from '@tidemark/servers';
import { afterAll, beforeAll } from 'vitest';

/** RunningRedis is a Redis of the tests of one file, and a producer's connection to it. */
export interface RunningRedis {
  readonly server: LocalServer;
  readonly link: RedisLink;
}

/** useRedis gives the tests of a describe block a Redis of their own; its fields are there while they run. */
export function useRedis(): RunningRedis {
  let running: RunningRedis | null = null;
  const now = (): RunningRedis => {
    if (!running) throw new Error('no Redis runs outside a test');
    return running;
  };
  beforeAll(async () => {
    const server = await startRedis();
    const link = openRedis({ url: server.url, role: 'producer', onFault: () => undefined });
    running = { server, link };
    await link.whenUp(10_000);
  });
  afterAll(async () => {
    await running?.link.close();
    await running?.server.close();
  });
  return {
    get server() {
      return now().server;
    },
    get link() {
      return now().link;
    },
  };
}
