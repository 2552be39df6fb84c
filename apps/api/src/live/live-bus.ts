import type { Alert } from '@tidemark/types';
import type { DriftPoint, Point } from '../store/point-store.js';

/** LiveMessage is news for the live feed, always of one project. */
export type LiveMessage =
  | { readonly kind: 'inference'; readonly project: string; readonly items: readonly Point[] }
  | { readonly kind: 'drift'; readonly project: string; readonly items: readonly DriftPoint[] }
  | { readonly kind: 'alert'; readonly project: string; readonly items: readonly Alert[] };

/** LiveBus carries news from where it is made to the gateways: best effort, bounded, and never waited for. */
export interface LiveBus {
  /** publish hands a message to every subscriber and returns at once; it never throws. */
  publish(message: LiveMessage): void;
  /** subscribe calls `listener` for each message until the returned function is called. */
  subscribe(listener: (message: LiveMessage) => void): () => void;
  close(): Promise<void>;
}
