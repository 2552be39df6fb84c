import type { ChannelRate, Delivery, Outbox, WaitingModels } from '@tidemark/state';
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
   * out itself. `channelLimit` is the limit of its channel, if that has no place for anything else, either.
   */
  | {
      readonly kind: 'suppressed';
      readonly reason: string;
      readonly releaseAfterMs: number;
      readonly channelLimit: ChannelRate | null;
    }
  /** It may not be held back, but must wait for a place on its channel; this was not a try. */
  | { readonly kind: 'postponed'; readonly reason: string; readonly afterMs: number };

/** DeliverDeps are what a delivery passes on its way. */
export interface DeliverDeps {
  readonly limiter: RateLimiter;
  readonly limits: DeliveryLimitSettings;
  readonly ledger: Pick<Outbox, 'suppressedSince' | 'waitingModels' | 'firingWasDelivered'>;
  find(project: string, channelId: string): Promise<ChannelLookup>;
  /** Told of a fault that costs the message a detail, not its way. */
  readonly onFault: (error: unknown) => void;
}

/** A message names so many of the models of which others wait; the rest it counts. */
const NAMED_MODELS = 3;

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
  const [suppressed, waiting] = await Promise.all([
    deps.ledger.suppressedSince(delivery),
    waitingModels(delivery, deps),
  ]);
  const summary = {
    ...(suppressed > 0 ? { suppressed_since_last: suppressed } : {}),
    ...(waiting.count > 0 ? { waiting_models: waiting } : {}),
  };
  return found.channel.send({ ...notification, ...summary }, signal);
}

/** Who has a place under the limits goes out: that nobody can say what else waits must not cost a retry. */
async function waitingModels(delivery: Delivery, { ledger, onFault }: DeliverDeps): Promise<WaitingModels> {
  return ledger.waitingModels(delivery, NAMED_MODELS).catch((error: unknown) => {
    onFault(error);
    return { count: 0, first: [] };
  });
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
  if (take.key !== ofChannel.key) {
    const reason = 'held back by the limit for this model, alert type and severity';
    return { kind: 'suppressed', reason, releaseAfterMs: wait, channelLimit: null };
  }
  // Not sooner than places become free on average, not even at a first refusal: for each free place a queue releases a
  // whole round of those who wait, most of which are refused, and these must not ask again for each of the next places.
  const releaseAfterMs = Math.max(wait, Math.ceil(ofChannel.windowMs / ofChannel.max));
  const reason = 'held back by the limit of the channel';
  return { kind: 'suppressed', reason, releaseAfterMs, channelLimit: limits.channel };
}
