import { describe, expect, it } from 'vitest';
import { aPoint, aSeries } from '../rig/points.js';
import { seededRandom } from '../rig/random.js';
import { RingBuffer, type Window } from './ring-buffer.js';
import { drawPoint, drawWindow, expectNeverWrong, NaiveStore, START } from './ring-model.contract.js';

const series = aSeries();
const all = (given: Partial<Window> = {}): Window => ({ sinceMs: 1, untilMs: 1000, limit: 100, ...given });
const seqs = (ring: RingBuffer, window: Window) => {
  const answer = ring.read(window);
  return answer.covered ? answer.page.items.map((point) => point.seq) : 'not covered';
};
const ringOf = (capacity: number, floorMs: number, times: readonly number[]) => {
  const ring = new RingBuffer(capacity, floorMs);
  for (const [i, timestampMs] of times.entries()) ring.push(aPoint({ series, seq: i + 1, timestampMs }));
  return ring;
};

describe('RingBuffer', () => {
  it('gives points back as they came, absent numbers as null', () => {
    const ring = new RingBuffer(4, 0);
    const full = aPoint({
      seq: 1,
      timestampMs: 5,
      requestId: 'é',
      latency: 0.1,
      throughput: 3,
      errorRate: -0,
      gpuMemory: 1,
    });
    const bare = aPoint({ seq: 2, timestampMs: 6, values: { tokens: -1 } });
    ring.push(full);
    ring.push(bare);
    expect(ring.read(all())).toEqual({ covered: true, page: { items: [bare, full], next: null } });
  });

  it('answers nothing that begins at or before what it never saw', () => {
    const ring = ringOf(4, 10, [11, 12]);
    expect(seqs(ring, all({ sinceMs: 10 }))).toBe('not covered');
    expect(seqs(ring, all({ sinceMs: 11 }))).toEqual([2, 1]);
  });

  it('covers an empty window only where it would know of points', () => {
    expect(seqs(ringOf(4, 10, []), all({ sinceMs: 11 }))).toEqual([]);
    expect(seqs(ringOf(4, 10, []), all({ sinceMs: 5 }))).toBe('not covered');
  });

  it('stops covering the time of the points that left it', () => {
    const ring = ringOf(2, 0, [11, 12, 13]);
    expect(ring.size).toBe(2);
    expect(seqs(ring, all({ sinceMs: 11 }))).toBe('not covered');
    expect(seqs(ring, all({ sinceMs: 12 }))).toEqual([3, 2]);
  });

  it('remembers the highest time that left, although it lets go by arrival', () => {
    const ring = ringOf(2, 0, [50, 20, 30]);
    expect(seqs(ring, all({ sinceMs: 40 }))).toBe('not covered');
    expect(seqs(ring, all({ sinceMs: 51 }))).toEqual([]);
    expect(ring.newestMs).toBe(50);
  });

  it('answers a page whose every item is newer than what it lost, and that there is more', () => {
    const ring = ringOf(4, 10, [11, 12, 13, 14]);
    expect(ring.read(all({ limit: 3 }))).toMatchObject({
      covered: true,
      page: { items: [{ seq: 4 }, { seq: 3 }, { seq: 2 }], next: { timestampMs: 12, seq: 2 } },
    });
    expect(seqs(ring, all({ limit: 4 }))).toBe('not covered');
  });

  it('puts late points in their place, and orders one millisecond by arrival', () => {
    expect(seqs(ringOf(8, 0, [30, 10, 20, 30, 20]), all())).toEqual([4, 1, 5, 3, 2]);
  });

  it('goes on after a position without repeating or leaving out a point of its millisecond', () => {
    const ring = ringOf(8, 0, [10, 20, 20, 20, 30]);
    const first = ring.read(all({ limit: 2 }));
    const next = first.covered ? first.page.next : null;
    expect(next).toEqual({ timestampMs: 20, seq: 4 });
    expect(seqs(ring, all({ after: next ?? undefined }))).toEqual([3, 2, 1]);
  });

  it('includes the start of a window and leaves out its end', () => {
    expect(seqs(ringOf(8, 0, [10, 20, 30]), all({ sinceMs: 10, untilMs: 30 }))).toEqual([2, 1]);
  });

  it('loses, doubles and disorders no read in a million random operations', () => {
    let operations = 0;
    let covered = 0;
    let declined = 0;
    for (let seed = 1; operations < 1_000_000; seed++) {
      const random = seededRandom(seed);
      const store = new NaiveStore();
      const ring = new RingBuffer(1 + random.below(60), START);
      // What was stored before the ring began; it may be as new as the floor.
      for (let seq = 1; seq <= 20; seq++)
        store.points.push({ ...drawPoint(random, START - 60, seq, series), timestampMs: START - random.below(60) });
      let nowMs = START;
      for (let step = 0; step < 1000; step++, operations++) {
        nowMs += random.below(4);
        if (random.below(4) > 0) {
          const point = drawPoint(random, nowMs, 21 + step, series);
          store.points.push(point);
          ring.push(point);
          continue;
        }
        const window = drawWindow(random, nowMs);
        const answer = ring.read(window);
        expectNeverWrong(answer, store, window, series);
        if (answer.covered) covered++;
        else declined++;
      }
    }
    expect(Math.min(covered, declined), 'the drawn windows exercise both answers').toBeGreaterThan(10_000);
  }, 60_000);
});
