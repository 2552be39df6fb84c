import type { Alert } from '@tidemark/types';
import type { DriftPoint, Point } from '../store/point-store.js';

/** LiveMessage is news for the live feed, always of one project. */
export type LiveMessage =
  | { readonly kind: 'inference'; readonly project: string; readonly items: readonly Point[] }
  | { readonly kind: 'drift'; readonly project: string; readonly items: readonly DriftPoint[] }
  | { readonly kind: 'alert'; readonly project: string; readonly items: readonly Alert[] };

/**
 * LiveBus carries news from where it is made to the gateways: best effort, bounded, and never waited for.
 * Messages of one publisher arrive in the order in which it published them, each at most once.
 */
export interface LiveBus {
  /** publish hands a message to every subscriber and returns at once; it never throws, whatever a listener does. */
  publish(message: LiveMessage): void;
  /** subscribe calls `listener` for each message from now on, until the returned function is called (again is harmless). */
  subscribe(listener: (message: LiveMessage) => void): () => void;
  /**
   * follow says that somebody here wants the points of a project, until the returned function is called (again is
   * harmless). A bus over several processes carries to each only what it follows, and all alerts; what is published here
   * is heard here in any case.
   */
  follow(project: string): () => void;
  /** close forgets every listener; what is published afterwards reaches nobody. */
  close(): Promise<void>;
}
