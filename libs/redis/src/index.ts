export { type RedisRole } from './client-options.js';
export { type OpenRedisOptions, type RedisClient, type RedisFault, type RedisLink } from './open-redis.js';
export { readRedisUrl, type RedisTarget, type RedisUrlResult } from './redis-url.js';
export { RedisScript } from './redis-script.js';
