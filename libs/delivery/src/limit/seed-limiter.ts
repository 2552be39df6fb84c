import type { Outbox } from '@tidemark/state';
import { channelLimit, type DeliveryLimitSettings, subjectLimit } from './delivery-limits.js';
import type { MemoryLimiter } from './memory-limiter.js';

/** SeedOptions are the limits to seed for and the wall clock of this moment, in milliseconds. */
export interface SeedOptions {
  readonly limits: DeliveryLimitSettings;
  readonly nowMs: number;
}

/** seedLimiter tells a new limiter what went out before a restart, so that no window is counted from zero. Answers how many. */
export async function seedLimiter(
  limiter: MemoryLimiter,
  ledger: Pick<Outbox, 'recentDelivered'>,
  { limits, nowMs }: SeedOptions,
): Promise<number> {
  const windowMs = Math.max(limits.subject.windowMs, limits.channel.windowMs);
  const recent = await ledger.recentDelivered(nowMs - windowMs);
  for (const [index, delivery] of recent.entries()) {
    const ofChannel = channelLimit(delivery, limits);
    // A resolved notice is let through because of its firing: it takes no place of its subject.
    const taken = delivery.eventKind === 'resolved' ? [ofChannel] : [subjectLimit(delivery, limits), ofChannel];
    limiter.seed(taken, `before-the-restart-${index}`, nowMs - delivery.deliveredMs);
  }
  return recent.length;
}
