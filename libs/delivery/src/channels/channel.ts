import type { Notification } from '../notification.js';

/** Sent says that the receiver took the message; `detail` is what it answered, fit for the ledger. */
export interface Sent {
  readonly kind: 'sent';
  readonly detail?: string;
}

/** Retry says that the message may go through later; `afterMs` is the least wait that the receiver asked for. */
export interface Retry {
  readonly kind: 'retry';
  readonly reason: string;
  readonly afterMs?: number;
}

/** Reject says that repeating is useless; `disableChannel` that no message will ever go through here again. */
export interface Reject {
  readonly kind: 'reject';
  readonly reason: string;
  readonly disableChannel?: true;
}

/** Outcome of one attempt. Reasons are for people and never hold a secret (no URL path, no credentials). */
export type Outcome = Sent | Retry | Reject;

/** Channel carries notifications to one place. */
export interface Channel {
  /**
   * Sends one notification, once: a channel never retries by itself. Settles soon after `signal` aborts
   * (as `retry`), and within the channel's own timeout in any case. Does not throw for a fault of the receiver or network.
   */
  send(notification: Notification, signal: AbortSignal): Promise<Outcome>;
  /** Closes what the channel holds open. */
  close(): Promise<void>;
}
