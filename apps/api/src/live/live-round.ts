import type { LiveKind } from '@tidemark/types';
import type { LiveLog } from './live-log.js';
import type { Subscription } from './subscription.js';

/** RoundRange says which items a round is to hold: from < seq <= to. */
export interface RoundRange {
  readonly from: number;
  readonly to: number;
  /** Points, by their own number, that the client has from a snapshot. */
  readonly skip: ReadonlySet<number> | null;
  /** How many items ever matched the subscription. */
  readonly total: number;
  readonly maxBytes: number;
}

/** Round is what a client with a given subscription and place in the log is sent at one time. */
export interface Round {
  readonly from: number;
  readonly skip: ReadonlySet<number> | null;
  /** Where the client is afterwards: `to`, or less when there was more than maxBytes. */
  readonly upTo: number;
  /** How many items ever matched the subscription up to those of the round: a client that had fewer has lost some. */
  readonly before: number;
  /** The same up to `upTo`. */
  readonly after: number;
  /** At most one frame a kind, ready for the wire. */
  readonly frames: readonly Buffer[];
  readonly bytes: number;
}

interface Part {
  readonly kind: LiveKind;
  readonly firstSeq: number;
  readonly texts: string[];
}

/**
 * buildRound makes the frames of a round: one for each kind that occurs, so that many items cost few frames, in the order
 * of their first items. The `seq` of a frame is how far a client may say it is once it has the frame: nothing up to it is
 * still to come. It is `upTo` in the last frame, in those before it that before the first item of the next, and so rises
 * from frame to frame.
 */
export function buildRound(log: LiveLog, subscription: Subscription, range: RoundRange): Round {
  const { from, to, skip, total, maxBytes } = range;
  const before = total - log.countAfter(subscription, from);
  const parts = new Map<LiveKind, Part>();
  let upTo = to;
  let lastSeq = from;
  let matched = 0;
  let bytes = 0;
  log.walk(subscription, from, (kind, items, index) => {
    const seq = items.seqAt(index);
    if (seq > to) return false;
    const isKnown = skip !== null && kind === 'inference' && skip.has(items.pointSeqAt(index));
    const text = isKnown ? '' : items.textAt(index);
    if (bytes > 0 && bytes + text.length > maxBytes) {
      upTo = lastSeq;
      return false;
    }
    lastSeq = seq;
    matched++;
    bytes += text.length;
    if (isKnown) return true;
    const part = parts.get(kind);
    if (part) part.texts.push(text);
    else parts.set(kind, { kind, firstSeq: seq, texts: [text] });
    return true;
  });
  const frames = toFrames(parts, upTo);
  return { from, skip, upTo, before, after: before + matched, frames, bytes: sizeOf(frames) };
}

function toFrames(parts: ReadonlyMap<LiveKind, Part>, upTo: number): Buffer[] {
  const ordered = [...parts.values()]; // items were visited in order
  return ordered.map(({ kind, texts }, i) => {
    const next = ordered[i + 1];
    return Buffer.from(`{"type":"${kind}","seq":${next ? next.firstSeq - 1 : upTo},"items":[${texts.join(',')}]}`);
  });
}

function sizeOf(frames: readonly Buffer[]): number {
  return frames.reduce((sum, frame) => sum + frame.length, 0);
}
