import type { Delivery, Outbox } from '@tidemark/state';
import type { Channel, Outcome } from './channels/channel.js';
import { channelLimit, type DeliveryLimitSettings, subjectLimit } from './limit/delivery-limits.js';
import type { RateLimiter } from './limit/rate-limiter.js';
import { readNotification } from './read-notification.js';

/** ChannelLookup is an open channel, or why there is none: `reject` for good, `retry` as long as an operator may mend it. */
export type ChannelLookup =
  { readonly kind: 'open'; readonly channel: Channel } | { readonly kind: 'reject' | 'retry'; readonly reason: string };

/** DeliveryOutcome is how one try of a delivery ended, or that the limiter let none be made. */
export type DeliveryOutcome =
  | Outcome
  /**
   * The limits held it back: the next message that goes out counts it. If there is none within `releaseAfterMs`, it goes
   * out itself. `isChannelFull` says that the channel has no place for anything else, either.
   */
  | {
      readonly kind: 'suppressed';
      readonly reason: string;
      readonly releaseAfterMs: number;
      readonly isChannelFull: boolean;
    }
  /** It may not be held back, but must wait for a place on its channel; this was not a try. */
  | { readonly kind: 'postponed'; readonly reason: string; readonly afterMs: number };

/** DeliverDeps are what a delivery passes on its way. */
export interface DeliverDeps {
  readonly limiter: RateLimiter;
  readonly limits: DeliveryLimitSettings;
  readonly ledger: Pick<Outbox, 'suppressedSince' | 'firingWasDelivered'>;
  find(project: string, channelId: string): Promise<ChannelLookup>;
}

/**
 * deliver makes one try of one delivery: limiter, then channel. It writes nothing; the queue writes the outcome.
 * Throws only where the ledger, the limiter or the channel directory fails.
 */
export async function deliver(delivery: Delivery, deps: DeliverDeps, signal: AbortSignal): Promise<DeliveryOutcome> {
  const notification = readNotification(delivery.payload);
  if (notification === undefined) return { kind: 'reject', reason: 'the payload is not a notification' };
  const found = await deps.find(delivery.project, delivery.channelId);
  if (found.kind !== 'open') return found;
  const held = await heldBack(delivery, deps);
  if (held !== undefined) return held;
  const suppressed = await deps.ledger.suppressedSince(delivery);
  const summary = suppressed > 0 ? { suppressed_since_last: suppressed } : {};
  return found.channel.send({ ...notification, ...summary }, signal);
}

async function heldBack(delivery: Delivery, deps: DeliverDeps): Promise<DeliveryOutcome | undefined> {
  const { limiter, limits, ledger } = deps;
  const ofChannel = channelLimit(delivery, limits);
  // Whoever was told that it began must hear that it is over: only the channel's own limit can delay that.
  const owed =
    delivery.eventKind === 'resolved' && (await ledger.firingWasDelivered(delivery.alertId, delivery.channelId));
  const take = await limiter.take(owed ? [ofChannel] : [subjectLimit(delivery, limits), ofChannel], delivery.id);
  if (take.allowed) return undefined;
  const wait = Math.ceil(take.retryAfterMs);
  // A delivery that was let through before and failed has not been heard of yet: it waits for the channel, too.
  if (take.key === ofChannel.key && (owed || delivery.attempts > 0)) {
    return { kind: 'postponed', reason: 'the limit of the channel', afterMs: wait };
  }
  const isChannelFull = take.key === ofChannel.key;
  const which = isChannelFull ? 'of the channel' : 'for this model, alert type and severity';
  const reason = `held back by the limit ${which}`;
  // Of a full channel many may wait for the one place that is free next: they wait for a whole window, and share it.
  return { kind: 'suppressed', reason, releaseAfterMs: isChannelFull ? ofChannel.windowMs : wait, isChannelFull };
}
