import { MINUTE_MS } from '../rollup-id.js';
import type { Span } from '../aggregate-plan.js';
import { IntervalSet } from './interval-set.js';
import type { Mark } from './mark.js';
import type { LinesContent } from './scan-lines.js';
import { SeqSets } from './seq-sets.js';

/** Uncounted knows which points no rollup counts: where to look for them, and how to tell them from the others. */
export class Uncounted {
  private readonly minutes = new IntervalSet();
  private readonly candidates = new SeqSets();

  constructor(
    contents: Iterable<LinesContent>,
    private readonly marks: readonly Pick<Mark, 'counted'>[],
  ) {
    for (const { minutes, points } of contents) {
      this.minutes.addAll(minutes);
      this.candidates.addAll(points);
    }
  }

  has(writer: number, seq: number): boolean {
    return !this.marks.some(({ counted }) => counted.has(writer, seq));
  }

  /** wasNamed tells whether a receipt names the point. */
  wasNamed(writer: number, seq: number): boolean {
    return this.candidates.has(writer, seq);
  }

  /** spansIn are the stretches of a span in which such points may lie. */
  spansIn({ fromMs, toMs }: Span): Span[] {
    const spans: Span[] = [];
    for (const [low, high] of this.minutes.intervals()) {
      const from = Math.max(fromMs, low * MINUTE_MS);
      const to = Math.min(toMs, (high + 1) * MINUTE_MS);
      if (from < to) spans.push({ fromMs: from, toMs: to });
    }
    return spans;
  }

  /** condition lets the database leave out most of the counted points; null when there is nothing to look for. */
  condition(): string | null {
    const ranges: string[] = [];
    for (const [writer, set] of this.candidates.writers()) {
      const range = this.rangeOf(writer, set);
      if (range) ranges.push(`("writer" = '${writer}' AND "seq" >= ${range[0]} AND "seq" <= ${range[1]})`);
    }
    return ranges.length === 0 ? null : `(${ranges.join(' OR ')})`;
  }

  private rangeOf(writer: number, set: IntervalSet): readonly [number, number] | null {
    const sets = this.marks.flatMap(({ counted }) => counted.ofExisting(writer) ?? []);
    let [first, last] = [Infinity, -Infinity];
    for (const [low, high] of set.intervals()) {
      const from = beyond(low, (value) => sets.map((one) => one.endOf(value)).find((end) => end !== null), 1);
      if (from > high) continue;
      first = Math.min(first, from);
      last = beyond(high, (value) => sets.map((one) => one.startOf(value)).find((start) => start !== null), -1);
    }
    return first > last ? null : [first, last];
  }
}

/** The first number from a value on, in steps of 1 or -1, that no interval holds; `edgeOf` is the far edge of one that does. */
function beyond(from: number, edgeOf: (value: number) => number | null | undefined, step: 1 | -1): number {
  let value = from;
  for (let edge = edgeOf(value); typeof edge === 'number'; edge = edgeOf(value)) value = edge + step;
  return value;
}
