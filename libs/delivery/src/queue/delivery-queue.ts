import type { Delivery } from '@tidemark/state';
import type { DeliveryOutcome } from '../deliver.js';

/** QueueReport is what a queue tells those who count and log; it holds no secret and no payload. */
export type QueueReport =
  | {
      readonly kind: 'outcome';
      readonly delivery: Delivery;
      readonly outcome: DeliveryOutcome;
      /** What became of the delivery in the ledger. */
      readonly status: 'delivered' | 'pending' | 'suppressed' | 'dead' | 'postponed';
      readonly durationMs: number;
    }
  | { readonly kind: 'fault'; readonly during: 'claim' | 'deliver' | 'write'; readonly error: unknown }
  | { readonly kind: 'clock_set_back'; readonly byMs: number };

/** QueueStats are the deliveries that a queue holds at this moment. */
export interface QueueStats {
  /** Being sent. */
  readonly sending: number;
  /** Waiting here for a place under their channel's limit. */
  readonly postponed: number;
}

/**
 * DeliveryQueue brings committed deliveries to their channels, at least once: each ends in the ledger as delivered,
 * suppressed or dead. It alone retries. Deliveries of one alert to one channel keep their order; channels do not wait
 * for each other.
 */
export interface DeliveryQueue {
  /** start takes up what an earlier life of this process left, then works until it is stopped. */
  start(): Promise<void>;
  /** wake says that deliveries were committed. Cheap, never throws, and may be called at any time. */
  wake(): void;
  /**
   * stop takes no more deliveries, waits up to `deadlineMs` for those that are being sent and aborts the rest, which
   * are repeated with the same event id by the next start. Answers how many were aborted.
   */
  stop(deadlineMs: number): Promise<{ readonly aborted: number }>;
  stats(): QueueStats;
}
