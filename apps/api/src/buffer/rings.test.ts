import { describe, expect, it } from 'vitest';
import { aPoint, aSeries } from '../rig/points.js';
import { seededRandom } from '../rig/random.js';
import type { Point } from '../store/point-store.js';
import type { Window } from './ring-buffer.js';
import { drawPoint, drawWindow, expectNeverWrong, NaiveStore, START } from './ring-model.contract.js';
import { Rings } from './rings.js';

const window = (given: Partial<Window> = {}): Window => ({ sinceMs: 11, untilMs: 1000, limit: 100, ...given });
const seqs = (rings: Rings, modelId: string, given: Partial<Window> = {}, project = 'default') => {
  const answer = rings.read(project, modelId, window(given));
  return answer.covered ? answer.page.items.map((point) => point.seq) : 'not covered';
};
const point = (modelId: string, seq: number, timestampMs: number, project = 'default') =>
  aPoint({ series: aSeries(modelId, project), seq, timestampMs });

describe('Rings', () => {
  it('keeps models and projects apart, whatever their names', () => {
    const rings = new Rings({ points: 4, models: 10, newestStoredMs: 10 });
    rings.remember([point('b', 1, 20, 'a'), point('', 2, 20, 'ab'), point('b', 3, 20, '1:a'), point('b', 4, 21, 'a')]);
    expect(seqs(rings, 'b', {}, 'a')).toEqual([4, 1]);
    expect(seqs(rings, '', {}, 'ab')).toEqual([2]);
    expect(seqs(rings, 'b', {}, '1:a')).toEqual([3]);
  });

  it('keeps all series of a model in one ring', () => {
    const rings = new Rings({ points: 4, models: 10, newestStoredMs: 10 });
    const tagged = { ...aSeries('a'), key: 'default/a|region=eu', tags: { region: 'eu' } };
    rings.remember([point('a', 1, 20), aPoint({ series: tagged, seq: 2, timestampMs: 21 })]);
    expect(seqs(rings, 'a')).toEqual([2, 1]);
  });

  it('knows nothing of a model that was not written since the start', () => {
    const rings = new Rings({ points: 4, models: 10, newestStoredMs: 10 });
    expect(seqs(rings, 'a')).toBe('not covered');
    rings.remember([point('a', 1, 20)]);
    expect(seqs(rings, 'a', { sinceMs: 10 })).toBe('not covered');
  });

  it('gives the ring of the model not written for longest to another, when it is quiet', () => {
    const rings = new Rings({ points: 4, models: 2, newestStoredMs: 10 });
    const write = (one: Point) => rings.remember([one]);
    [point('a', 1, 20), point('b', 2, 21), point('a', 3, 22), point('c', 4, 23)].forEach(write);
    expect(seqs(rings, 'c'), 'b was written two turns ago').toBe('not covered');
    [point('a', 5, 24), point('c', 6, 25)].forEach(write);
    expect(seqs(rings, 'b', { sinceMs: 21 })).toBe('not covered');
    expect(seqs(rings, 'a')).toEqual([5, 3, 1]);
    expect(seqs(rings, 'c', { sinceMs: 24 })).toEqual([6]);
  });

  it('does not cover what came while its model had no ring, nor what a dropped ring held', () => {
    const rings = new Rings({ points: 4, models: 1, newestStoredMs: 10 });
    [point('a', 1, 50), point('b', 2, 60), point('b', 3, 55), point('b', 4, 65)].forEach((one) =>
      rings.remember([one]),
    );
    expect(seqs(rings, 'b', { sinceMs: 50 }), 'the ring of b began with its third point').toBe('not covered');
    expect(seqs(rings, 'b', { sinceMs: 61 })).toEqual([4]);
    [point('a', 5, 63), point('a', 6, 70), point('a', 7, 64)].forEach((one) => rings.remember([one]));
    expect(seqs(rings, 'a', { sinceMs: 65 })).toBe('not covered');
    expect(seqs(rings, 'a', { sinceMs: 71 })).toEqual([]);
  });

  it('leaves the rings to those that have them, when twice as many models write in turn', () => {
    const rings = new Rings({ points: 4, models: 50, newestStoredMs: 0 });
    for (let seq = 1; seq <= 10_000; seq++) rings.remember([point(`m${seq % 100}`, seq, seq)]);
    const covered = Array.from({ length: 100 }, (_, i) => seqs(rings, `m${i}`, { sinceMs: 9_800, untilMs: 20_000 }));
    expect(covered.filter((answer) => answer !== 'not covered')).toHaveLength(50);
    expect(rings.rooms).toBe(50);
  });

  it('never makes more rings than it may have, however many models come and go', () => {
    const rings = new Rings({ points: 1000, models: 3, newestStoredMs: 0 });
    for (let seq = 1; seq <= 50_000; seq++) rings.remember([point(`m${seq}`, seq, seq)]);
    expect(rings.rooms).toBe(3);
  });

  it('is never wrong about any of many models that push each other out', () => {
    let covered = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const random = seededRandom(seed);
      const store = new NaiveStore();
      const models = Array.from({ length: 6 }, (_, i) => aSeries(`m${i}`, i % 2 ? 'left' : 'right'));
      const rings = new Rings({ points: 1 + random.below(30), models: 1 + random.below(6), newestStoredMs: START });
      let nowMs = START;
      let seq = 0;
      for (let step = 0; step < 500; step++) {
        nowMs += random.below(4);
        const drawn = Array.from({ length: random.below(5) }, () => {
          const series = models[random.below(1 + random.below(models.length))] ?? aSeries();
          return drawPoint(random, nowMs, ++seq, series);
        });
        store.points.push(...drawn);
        rings.remember(drawn);
        for (const series of models) {
          const drawnWindow = drawWindow(random, nowMs);
          const answer = rings.read(series.project, series.modelId, drawnWindow);
          expectNeverWrong(answer, store, drawnWindow, series);
          if (answer.covered) covered++;
        }
      }
    }
    expect(covered, 'the drawn windows exercise the rings').toBeGreaterThan(1000);
  }, 60_000);
});
