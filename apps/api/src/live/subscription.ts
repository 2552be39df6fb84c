import { LIVE_KINDS, type LiveKind, type LiveRequest } from '@tidemark/types';

/** Subscription is what a client follows. */
export interface Subscription {
  /** The models followed; null for all. */
  readonly models: ReadonlySet<string> | null;
  /** The kinds followed, in the order of LIVE_KINDS. */
  readonly kinds: readonly LiveKind[];
  /** Equal for subscriptions that match the same items. */
  readonly key: string;
}

/** toSubscription reads a subscribe request; `*` among the models stands for all of them. */
export function toSubscription(request: Extract<LiveRequest, { type: 'subscribe' }>): Subscription {
  const kinds = LIVE_KINDS.filter((kind) => request.kinds.includes(kind));
  const models = request.models.includes('*') ? null : new Set(request.models.toSorted());
  return { models, kinds, key: JSON.stringify([kinds, models && [...models]]) };
}
