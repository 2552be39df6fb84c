import { openLink } from '@tidemark/program';
import type { RedisLink } from '@tidemark/redis';
import type { Opening } from './surroundings.js';

/** Links are the connections to the Redis that the instances share. */
export interface Links {
  readonly producer: RedisLink;
  readonly subscriber: RedisLink;
}

/** openLinks connects to Redis, if there is one; it answers at once, whether Redis is there now or not. */
export async function openLinks(opening: Opening): Promise<Links | null> {
  const { redisUrl: url } = opening.config;
  if (url === null) return null;
  const whileAway = 'what it carries waits';
  return {
    producer: await openLink({ url, role: 'producer', whileAway }, opening),
    subscriber: await openLink({ url, role: 'subscriber', whileAway }, opening),
  };
}
