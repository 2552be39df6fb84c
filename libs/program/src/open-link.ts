import type { RedisFault, RedisLink, RedisRole } from '@tidemark/redis';
import type { Logger } from 'pino';
import type { Closer } from './close-all.js';

/** LinkOptions are a connection to Redis, and what a program does with it. */
export interface LinkOptions {
  readonly url: string;
  readonly role: RedisRole;
  /** What it means for this program that Redis is away, as the log says it: `deliveries wait`. */
  readonly whileAway: string;
}

/** LinkSurroundings hear of a connection: the log when it is away and back, and whoever closes what was opened. */
export interface LinkSurroundings {
  readonly log: Logger;
  readonly closeLast: (closer: Closer) => void;
}

/** openLink connects to Redis; it does not wait for it: Redis may be there now or not. */
export async function openLink(
  { url, role, whileAway }: LinkOptions,
  { log, closeLast }: LinkSurroundings,
): Promise<RedisLink> {
  const onFault = (fault: RedisFault): void => {
    if (fault.kind === 'away') log.warn({ role, reason: fault.reason }, `Redis is away; ${whileAway}`);
    else log.info({ role, awayMs: fault.awayMs }, 'Redis is back');
  };
  // Its client is loaded by those who have a Redis, and by nobody else.
  const { openRedis } = await import('@tidemark/redis/open');
  const link = openRedis({ url, role, onFault });
  closeLast(() => link.close());
  return link;
}
