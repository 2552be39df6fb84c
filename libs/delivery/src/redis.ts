// What needs Redis has an entry of its own: a process without Redis does not load its clients (some 20 MB).
export { RedisLimiter, type RedisLimiterOptions, type RedisLimiterStats } from './limit/redis-limiter.js';
export { BullMqQueue, type BullMqQueueOptions } from './queue/bullmq-queue.js';
export { OutboxRelay, type OutboxRelayOptions } from './queue/outbox-relay.js';
