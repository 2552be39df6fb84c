import type { Alert } from './alert.js';
import type { ProblemCode } from './error-codes.js';
import type { StoredDrift, StoredInference } from './metric.js';

/**
 * LiveAnswer is what the server says on the live feed, one JSON text frame each.
 *
 * - `snapshot` answers a subscription. `metrics` are the newest points, newest first; `alerts` those that fire. All that
 *   is published after `seq` follows as deltas; a point in the snapshot does not come again. An alert may, because it is
 *   a state: the last one heard counts. `resumed`: the request had a `since_seq` that this server knows, so `metrics` is
 *   empty and the deltas begin there. `truncated`: there was more than fits; REST has all.
 * - `inference`, `drift`, `alert` carry what is new, in order. `seq` is what to send as `since_seq` to go on from here;
 *   frames that go out together each hold one kind, so one who is cut off between them may hear items of the first again.
 * - `lagged` tells how many items the client will not be sent. While connected the number is exact: items that it follows
 *   and was too slow for. After a `since_seq` that the log no longer reaches it is the most that can have been lost, as
 *   what they were is forgotten. With `restarted` the `since_seq` was not of this life of the server: how much was lost
 *   before is unknown, `dropped` counts only what this life has published so far, and a whole snapshot was sent.
 * - `error` answers a message that could not be followed; the connection goes on.
 */
export type LiveAnswer =
  | {
      readonly type: 'snapshot';
      readonly seq: number;
      readonly resumed: boolean;
      readonly truncated: boolean;
      readonly metrics: readonly StoredInference[];
      readonly alerts: readonly Alert[];
    }
  | { readonly type: 'inference'; readonly seq: number; readonly items: readonly StoredInference[] }
  | { readonly type: 'drift'; readonly seq: number; readonly items: readonly StoredDrift[] }
  | { readonly type: 'alert'; readonly seq: number; readonly items: readonly Alert[] }
  | { readonly type: 'lagged'; readonly dropped: number; readonly restarted?: true }
  | { readonly type: 'pong' }
  | { readonly type: 'error'; readonly code: ProblemCode; readonly message: string };
