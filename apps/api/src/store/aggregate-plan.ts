import { ceilTo, floorTo, HOUR_MS, MINUTE_MS } from './rollup-id.js';

/** Span is a stretch of time, from fromMs (included) to toMs (excluded), epoch ms. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** AggregatePlan says from what each stretch of a range is summed up; the spans do not overlap and leave no gap. */
export interface AggregatePlan {
  /** Whole hours, from the rollups by the hour. */
  readonly hours: readonly Span[];
  /** Whole minutes, from the rollups by the minute. */
  readonly minutes: readonly Span[];
  /** The rest, point by point. */
  readonly raw: readonly Span[];
}

/** Kept says since when raw points and rollups by the minute are still all there; both on a whole hour, or -Infinity. */
export interface Kept {
  readonly rawSinceMs: number;
  readonly minuteSinceMs: number;
}

/**
 * planAggregate covers a range with the coarsest rollups that do not straddle a window. Where raw points are gone, the
 * rollup by the minute stands in, and where that is gone, the one by the hour: it counts to the side on which it begins.
 */
export function planAggregate({ fromMs, toMs }: Span, windowMs: number, kept: Kept): AggregatePlan {
  const hours: Span[] = [];
  const minutes: Span[] = [];
  const raw: Span[] = [];
  const addMinutes = (from: number, to: number): void => {
    const middle = clamp(kept.minuteSinceMs, from, to);
    push(hours, ceilTo(from, HOUR_MS), ceilTo(middle, HOUR_MS));
    push(minutes, middle, to);
  };
  const addRaw = (from: number, to: number): void => {
    const middle = clamp(kept.rawSinceMs, from, to);
    if (from < middle) addMinutes(ceilTo(from, MINUTE_MS), ceilTo(middle, MINUTE_MS));
    push(raw, middle, to);
  };
  const addByTheMinute = (from: number, to: number): void => {
    const [first, last] = whole(from, to, MINUTE_MS);
    addRaw(from, first);
    addMinutes(first, last);
    addRaw(last, to);
  };
  if (windowMs % HOUR_MS === 0) {
    const [first, last] = whole(fromMs, toMs, HOUR_MS);
    addByTheMinute(fromMs, first);
    push(hours, first, last);
    addByTheMinute(last, toMs);
  } else if (windowMs % MINUTE_MS === 0) {
    addByTheMinute(fromMs, toMs);
  } else {
    addRaw(fromMs, toMs);
  }
  return { hours, minutes, raw };
}

/** whole is the widest stretch of whole buckets inside a span; empty and at the span's end when there is none. */
function whole(fromMs: number, toMs: number, widthMs: number): readonly [number, number] {
  const first = ceilTo(fromMs, widthMs);
  const last = floorTo(toMs, widthMs);
  return first < last ? [first, last] : [toMs, toMs];
}

function push(spans: Span[], fromMs: number, toMs: number): void {
  if (fromMs < toMs) spans.push({ fromMs, toMs });
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
