import { createHash } from 'node:crypto';
import type { RedisClient } from './open-redis.js';

/** RedisScript is a Lua script that Redis runs as one step, sent whole only where the server does not know it yet. */
export class RedisScript {
  private readonly sha: string;

  constructor(private readonly lua: string) {
    this.sha = createHash('sha1').update(lua).digest('hex');
  }

  /** run answers what the script returns; all `keys` must be in one hash slot. */
  async run(client: RedisClient, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await client.evalsha(this.sha, keys.length, ...keys, ...args);
    } catch (error) {
      // Also after a failover or SCRIPT FLUSH; the script did not run, so running it now is running it once.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.eval(this.lua, keys.length, ...keys, ...args);
    }
  }
}
