import { describe, expect, it } from 'vitest';
import { aPoint, aSeries, NOW } from '../point-samples.contract.js';
import { IntervalSet } from './interval-set.js';
import type { LinesContent } from './scan-lines.js';
import { SeqSets } from './seq-sets.js';
import { Unflushed } from './unflushed.js';

function contentOf(seq: number): LinesContent {
  const minutes = IntervalSet.parse(`${seq}`);
  return { minutes, points: SeqSets.parse(`0:${seq}`), drifts: new SeqSets(), newestMs: seq };
}

describe('Unflushed', () => {
  it('gives tickets that rise though the clock stands still or goes back', () => {
    let nowMs = NOW;
    const unflushed = new Unflushed(0, () => nowMs);
    const tickets = [0, -5, 0, 10].map((step) => {
      nowMs += step;
      return unflushed.begin(contentOf(1), null).ticket;
    });
    expect(tickets).toEqual([NOW * 1000, NOW * 1000 + 1, NOW * 1000 + 2, NOW * 1000 + 5000]);
  });

  it('lets a flush count only what comes before the first request under way', () => {
    const unflushed = new Unflushed(0, () => NOW);
    const [a, b, c] = [1, 2, 3].map((seq) => unflushed.begin(contentOf(seq), [aPoint(aSeries(), seq, NOW)]));
    unflushed.settle(c, 'stored');
    expect(unflushed.ready()).toEqual([]);
    expect(unflushed.load).toEqual({ points: 0, requests: 0 });
    unflushed.settle(a, 'stored');
    expect(unflushed.ready()).toEqual([a]);
    unflushed.settle(b, 'absent');
    expect(unflushed.ready()).toEqual([a, c]);
    expect(unflushed.load).toEqual({ points: 2, requests: 2 });
    unflushed.counted(a.ticket);
    expect(unflushed.ready()).toEqual([c]);
  });

  it('stays small while everything fails again and again', () => {
    const unflushed = new Unflushed(0, () => NOW);
    for (let seq = 1; seq <= 1000; seq++) unflushed.settle(unflushed.begin(contentOf(seq), []), 'unknown');
    const [only, ...rest] = unflushed.ready();
    expect(rest).toEqual([]);
    expect(only.content.points.toString()).toBe('0:1-1000');
    expect(only.content.newestMs).toBe(1000);
    expect(only.ticket).toBe(NOW * 1000 + 999);
    expect(unflushed.load).toEqual({ points: 1000, requests: 1000 });
  });
});
