import type { Outbox } from '@tidemark/state';
import { channelLimit, type DeliveryLimitSettings, subjectLimit } from './delivery-limits.js';
import type { MemoryLimiter } from './memory-limiter.js';

/** SeedOptions are the limits to seed for and the wall clock of this moment, in milliseconds. */
export interface SeedOptions {
  readonly limits: DeliveryLimitSettings;
  readonly nowMs: number;
}

/**
 * seedLimiter tells a new limiter what went out before a restart, and what may have, so that no window is counted from
 * zero. Answers how many places it told of. Call it before the queue starts, which releases what was being sent.
 */
export async function seedLimiter(
  limiter: MemoryLimiter,
  ledger: Pick<Outbox, 'recentSends'>,
  { limits, nowMs }: SeedOptions,
): Promise<number> {
  const windowMs = Math.max(limits.subject.windowMs, limits.channel.windowMs);
  const recent = await ledger.recentSends(nowMs - windowMs, nowMs);
  for (const send of recent) {
    const agoMs = nowMs - send.atMs;
    // A resolved notice is let through because of its firing: it takes no place of its subject. For any other the place
    // bears the delivery's id, so that its own repeat may take it again and nobody else may.
    if (send.eventKind !== 'resolved') limiter.seed([subjectLimit(send, limits)], send.id, agoMs);
    // The repeat of what was cut short is one more message to the receiver, and needs a place besides.
    const id = send.how === 'ended' ? send.id : `${send.id} cut short at ${send.atMs}`;
    limiter.seed([channelLimit(send, limits)], id, agoMs);
  }
  return recent.length;
}
