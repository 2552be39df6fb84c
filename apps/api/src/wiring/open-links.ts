import type { RedisFault, RedisLink, RedisRole } from '@tidemark/redis';
import type { Opening } from './surroundings.js';

/** Links are the connections to the Redis that the instances share. */
export interface Links {
  readonly producer: RedisLink;
  readonly subscriber: RedisLink;
}

/** openLinks connects to Redis, if there is one; it answers at once, whether Redis is there now or not. */
export async function openLinks({ config, log, closeLast }: Opening): Promise<Links | null> {
  const { redisUrl: url } = config;
  if (url === null) return null;
  // Who needs no Redis does not load its client.
  const { openRedis } = await import('@tidemark/redis/open');
  const open = (role: RedisRole): RedisLink => {
    const onFault = (fault: RedisFault): void => {
      if (fault.kind === 'away') log.warn({ role, reason: fault.reason }, 'Redis is away; what it carries waits');
      else log.info({ role, awayMs: fault.awayMs }, 'Redis is back');
    };
    const link = openRedis({ url, role, onFault });
    closeLast(() => link.close());
    return link;
  };
  return { producer: open('producer'), subscriber: open('subscriber') };
}
