import type { Delivery } from '@tidemark/state';
import type { Limit } from './rate-limiter.js';

/** DeliveryLimitSettings are the two limits that every notification passes. */
export interface DeliveryLimitSettings {
  /** For one (channel, model, alert type, severity). */
  readonly subject: { readonly max: number; readonly windowMs: number };
  /** For all that goes out on one channel. */
  readonly channel: { readonly max: number; readonly windowMs: number };
}

/** DEFAULT_DELIVERY_LIMITS are 1 in 5 minutes a subject, and 60 a minute a channel. */
export const DEFAULT_DELIVERY_LIMITS: DeliveryLimitSettings = {
  subject: { max: 1, windowMs: 300_000 },
  channel: { max: 60, windowMs: 60_000 },
};

/** LimitedDelivery is what the limits of a delivery depend on. */
export type LimitedDelivery = Pick<Delivery, 'project' | 'channelId' | 'modelId' | 'alertType' | 'severity'>;

/** channelLimit is the limit of everything that goes out on a delivery's channel. */
export function channelLimit(delivery: LimitedDelivery, { channel }: DeliveryLimitSettings): Limit {
  return { key: keyOf(['channel', delivery.project, delivery.channelId]), ...channel };
}

/** subjectLimit is the limit of what a channel hears of one model, alert type and severity. */
export function subjectLimit(delivery: LimitedDelivery, { subject }: DeliveryLimitSettings): Limit {
  const { project, channelId, modelId, alertType, severity } = delivery;
  return { key: keyOf(['subject', project, channelId, modelId, alertType, severity]), ...subject };
}

/** As JSON, so that no choice of names makes two keys one. */
function keyOf(parts: readonly string[]): string {
  return JSON.stringify(parts);
}
