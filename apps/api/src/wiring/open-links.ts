import { openLink } from '@tidemark/program';
import type { RedisLink } from '@tidemark/redis';
import type { Opening } from './surroundings.js';

/** Links are the connections to the Redis that the instances share. */
export interface Links {
  readonly producer: RedisLink;
  readonly subscriber: RedisLink;
}

/** openLinks connects to Redis, if there is one; it answers at once, whether Redis is there now or not. */
export function openLinks(opening: Opening): Links | null {
  const { redisUrl: url } = opening.config;
  if (url === null) return null;
  const whileAway = 'what it carries waits';
  return {
    producer: openLink({ url, role: 'producer', whileAway }, opening),
    subscriber: openLink({ url, role: 'subscriber', whileAway }, opening),
  };
}
