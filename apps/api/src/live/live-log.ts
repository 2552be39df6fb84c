import type { Alert, LiveKind } from '@tidemark/types';
import { toStoredDrift, toStoredInference } from '../query/stored.js';
import type { DriftPoint, Point } from '../store/point-store.js';
import { KindLog, type KindSpec } from './kind-log.js';
import type { LiveMessage } from './live-bus.js';
import type { Subscription } from './subscription.js';

const ITEM_BYTES = 256;

const INFERENCE: KindSpec<Point> = {
  modelOf: (point) => point.series.modelId,
  pointSeqOf: (point) => point.seq,
  bytesOf: ({ requestId, series, values }) =>
    ITEM_BYTES + requestId.length + series.key.length + (values ? 48 * Object.keys(values).length : 0),
  toWire: toStoredInference,
};
const DRIFT: KindSpec<DriftPoint> = {
  modelOf: (drift) => drift.modelId,
  pointSeqOf: () => 0,
  bytesOf: ({ tags }) => ITEM_BYTES + 64 * Object.keys(tags).length,
  toWire: toStoredDrift,
};
const ALERT: KindSpec<Alert> = {
  modelOf: (alert) => alert.model_id,
  pointSeqOf: () => 0,
  bytesOf: (alert) =>
    2 * ITEM_BYTES +
    alert.message.length +
    (alert.acknowledge_comment?.length ?? 0) +
    (alert.resolve_comment?.length ?? 0),
  toWire: (alert) => alert,
};

/** LogReader is a KindLog as seen by those who read it. */
export type LogReader = Omit<KindLog<unknown>, 'push' | 'pass' | 'clear'>;

/** Gap is what lies between a sequence number that a client knows and what the log holds. */
export type Gap =
  | { readonly kind: 'none' }
  /** `dropped` is the most that can be missing: which items they were is no longer known. */
  | { readonly kind: 'lost'; readonly dropped: number }
  /** The number is of another life of the server, in which nobody knows how much was lost; `dropped` is what came since. */
  | { readonly kind: 'restarted'; readonly dropped: number };

/**
 * LiveLog numbers the items of one project and keeps the newest of each kind.
 *
 * The sequence number rises by one with every item of the project, of whatever kind, in this process. It begins at the
 * start of the process (UTC, epoch ms) times 1000, so that numbers of one life of the server are above all those of the
 * lives before (as long as fewer than a million items a second come, and the clock is not set back), and below 2^53
 * until the year 2255. Numbers of two processes have nothing to do with each other.
 */
export class LiveLog {
  private last: number;
  private recording = false;
  private readonly inference: KindLog<Point>;
  private readonly drift: KindLog<DriftPoint>;
  private readonly alert: KindLog<Alert>;

  constructor(
    private readonly startSeq: number,
    private readonly bounds: { readonly keepItems: number; readonly keepBytes: number },
  ) {
    this.last = startSeq;
    this.inference = new KindLog(INFERENCE, bounds);
    this.drift = new KindLog(DRIFT, bounds);
    this.alert = new KindLog(ALERT, bounds);
  }

  /** seq is the sequence number of the newest item, or the start of the count. */
  get seq(): number {
    return this.last;
  }

  /** record begins to keep items; a log that nobody reads only counts. */
  record(): void {
    this.recording = true;
  }

  /** rest lets all items go and only counts from now on. */
  rest(): void {
    this.recording = false;
    for (const log of [this.inference, this.drift, this.alert]) log.clear();
  }

  /** append numbers the items of a message and keeps them. */
  append(message: LiveMessage): void {
    switch (message.kind) {
      case 'inference':
        return this.take(this.inference, message.items);
      case 'drift':
        return this.take(this.drift, message.items);
      case 'alert':
        return this.take(this.alert, message.items);
    }
  }

  /** gapSince tells what a client is missing that has seen all up to `seq`. */
  gapSince({ kinds }: Subscription, seq: number): Gap {
    if (seq < this.startSeq || seq > this.last) return { kind: 'restarted', dropped: this.last - this.startSeq };
    const missing = kinds.map((kind) => this.of(kind)).filter((log) => log.floorSeq > seq);
    if (missing.length === 0) return { kind: 'none' };
    const floor = Math.max(...missing.map((log) => log.floorSeq));
    const evicted = missing.reduce((sum, log) => sum + log.evicted, 0);
    return { kind: 'lost', dropped: Math.min(floor - seq, evicted) };
  }

  /** countAfter counts the items held that match and have a higher sequence number. */
  countAfter(subscription: Subscription, seq: number): number {
    let count = 0;
    for (const kind of subscription.kinds) {
      const log = this.of(kind);
      const from = log.firstAfter(seq);
      if (!subscription.models) count += log.length - from;
      else for (let i = from; i < log.length; i++) if (subscription.models.has(log.modelAt(i))) count++;
    }
    return count;
  }

  /** walk visits the matching items held after `seq` in the order of their numbers, until `visit` answers false. */
  walk(
    subscription: Subscription,
    seq: number,
    visit: (kind: LiveKind, log: LogReader, index: number) => boolean,
  ): void {
    const { kinds, models } = subscription;
    const places = kinds.map((kind) => ({ kind, log: this.of(kind), at: this.of(kind).firstAfter(seq) }));
    for (;;) {
      let next: (typeof places)[number] | null = null;
      for (const place of places) {
        if (place.at >= place.log.length) continue;
        if (!next || place.log.seqAt(place.at) < next.log.seqAt(next.at)) next = place;
      }
      if (!next) return;
      if ((!models || models.has(next.log.modelAt(next.at))) && !visit(next.kind, next.log, next.at)) return;
      next.at++;
    }
  }

  private of(kind: LiveKind): LogReader {
    return this[kind];
  }

  private take<T>(log: KindLog<T>, items: readonly T[]): void {
    const passed = this.recording ? Math.max(0, items.length - this.bounds.keepItems) : items.length;
    if (passed > 0) log.pass(passed, (this.last += passed));
    for (let i = passed; i < items.length; i++) {
      const item = items[i];
      if (item !== undefined) log.push(++this.last, item);
    }
  }
}
