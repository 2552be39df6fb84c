import type { LiveKind } from '@tidemark/types';
import type { LiveClient } from './live-client.js';
import type { LiveLog } from './live-log.js';
import type { PendingSnapshot } from './live-snapshots.js';
import type { Subscription } from './subscription.js';

/** LiveGroup is all clients of a project that follow the same things: what they are sent is made once. */
export class LiveGroup {
  readonly members = new Set<LiveClient>();
  /** Members, and clients that wait for their snapshot. */
  holders = 0;
  /** Items that ever matched, since the group exists. */
  total = 0;
  /** Sequence number of the newest item that matched. */
  newestSeq: number;
  /** Sequence number of the newest item that matched when the group was last set out to be brought up to date. */
  settledSeq: number;
  /** Sequence number before the first item that matched since then; null when none did. */
  freshSeq: number | null = null;
  /** Not before this time (steady ms) is the group sent anything again. */
  nextMs = 0;
  /** Where the fan-out has it. */
  place: 'idle' | 'ready' | 'later' | 'underway' = 'idle';
  /** Something came, or a member fell behind, while it was underway. */
  again = false;
  snapshot: PendingSnapshot | null = null;

  constructor(
    readonly project: string,
    readonly log: LiveLog,
    readonly subscription: Subscription,
  ) {
    // The log may hold items that match from before the group: nobody who is behind must be taken for up to date.
    this.newestSeq = log.seq;
    this.settledSeq = log.seq;
  }

  /** follows tells whether items of a kind matter to the group. */
  follows(kind: LiveKind): boolean {
    return this.subscription.kinds.includes(kind);
  }

  /** count takes note of items that matched, numbered above `afterSeq` and up to `seq`. */
  count(items: number, afterSeq: number, seq: number): void {
    this.total += items;
    this.newestSeq = seq;
    this.freshSeq ??= afterSeq;
  }
}
