import { expect } from 'vitest';
import { NOON } from '../rig/manual-clock.js';
import { aPoint } from '../rig/points.js';
import type { Random } from '../rig/random.js';
import type { Page, Point, Series } from '../store/point-store.js';
import type { RingAnswer, Window } from './ring-buffer.js';

/** NaiveStore is a store that holds everything and answers by looking at all of it. */
export class NaiveStore {
  readonly points: Point[] = [];

  read({ sinceMs, untilMs, limit, after }: Window, series: Series): Page<Point> {
    const found = this.points
      .filter((point) => point.series.modelId === series.modelId && point.series.project === series.project)
      .filter(({ timestampMs }) => timestampMs >= sinceMs && timestampMs < untilMs)
      .filter((point) => !after || isOlder(point, after))
      .sort((a, b) => (isOlder(a, b) ? 1 : -1));
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return { items, next: last && found.length > limit ? { timestampMs: last.timestampMs, seq: last.seq } : null };
  }

  /** newestMs is the highest timestamp of all. */
  newestMs(): number {
    return this.points.reduce((newest, point) => Math.max(newest, point.timestampMs), -Infinity);
  }
}

/** expectNeverWrong holds a ring's answer against the store: it may decline, but what it answers is the whole truth. */
export function expectNeverWrong(answer: RingAnswer, store: NaiveStore, window: Window, series: Series): void {
  if (!answer.covered) return;
  const wanted = store.read(window, series);
  const isSame =
    answer.page.items.length === wanted.items.length &&
    answer.page.items.every((point, i) => point.seq === wanted.items[i]?.seq) &&
    answer.page.next?.seq === wanted.next?.seq;
  if (!isSame) expect(answer.page).toEqual(wanted); // the comparison above is what makes a million of them affordable
}

/** drawPoint draws a point near `nowMs`: mostly in order, sometimes late, early, or at the very same time. */
export function drawPoint(random: Random, nowMs: number, seq: number, series: Series): Point {
  const kind = random.below(10);
  const timestampMs = nowMs + (kind === 0 ? -random.below(400) : kind === 1 ? random.below(50) : 0);
  const maybe = (value: number) => (random.below(3) === 0 ? null : value);
  return aPoint({
    series,
    seq,
    timestampMs,
    requestId: `r${seq}`,
    latency: 1 + random.below(100),
    throughput: maybe(seq),
    errorRate: maybe(0),
    gpuMemory: maybe(0.5),
    cpuUsage: maybe(1),
    memoryUsage: maybe(0.25),
    values: maybe(1) === null ? null : { tokens: seq },
  });
}

/** drawWindow draws a window around `nowMs`; now and then it goes on from a position. */
export function drawWindow(random: Random, nowMs: number): Window {
  const sinceMs = nowMs - random.below(300);
  const window = { sinceMs, untilMs: sinceMs + random.below(400), limit: 1 + random.below(12) };
  if (random.below(3) > 0) return window;
  return { ...window, after: { timestampMs: nowMs - random.below(100), seq: random.below(3000) } };
}

/** START is the time at which drawn points begin. */
export const START = NOON;

function isOlder(a: { timestampMs: number; seq: number }, b: { timestampMs: number; seq: number }): boolean {
  return a.timestampMs < b.timestampMs || (a.timestampMs === b.timestampMs && a.seq < b.seq);
}
