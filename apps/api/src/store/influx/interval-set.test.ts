import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntervalSet } from './interval-set.js';

describe('IntervalSet', () => {
  it('holds what was added, in any order, and reads back what it writes', () => {
    const interval = fc.tuple(fc.nat(200), fc.nat(9)).map(([low, more]): [number, number] => [low, low + more]);
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 40 }), (intervals) => {
        const set = new IntervalSet();
        const model = new Set<number>();
        for (const [low, high] of intervals) {
          set.add(low, high);
          for (let value = low; value <= high; value++) model.add(value);
        }
        const read = IntervalSet.parse(set.toString());
        const wrong = Array.from({ length: 220 }, (_, value) => value).filter(
          (value) => set.has(value) !== model.has(value) || read.has(value) !== model.has(value),
        );
        expect(wrong).toEqual([]);
        const pairs = [...set.intervals()];
        expect(pairs.every(([low], i) => i === 0 || low > pairs[i - 1][1] + 1)).toBe(true);
        expect(set.size).toBe(model.size);
        expect(set.lowest).toBe(Math.min(Infinity, ...model));
        expect(set.highest).toBe(Math.max(-Infinity, ...model));
      }),
      { numRuns: 500 },
    );
  });

  it('adds all of another, however they lie', () => {
    const numbers = fc.array(fc.nat(300), { maxLength: 200 });
    fc.assert(
      fc.property(numbers, numbers, (some, others) => {
        const set = IntervalSet.of(some);
        set.addAll(IntervalSet.of(others));
        const model = new Set([...some, ...others]);
        expect(set.size).toBe(model.size);
        for (const value of model) expect(set.has(value)).toBe(true);
        const pairs = [...set.intervals()];
        expect(pairs.every(([low], i) => i === 0 || low > pairs[i - 1][1] + 1)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('holds nothing that was not added, of any number of intervals', () => {
    const odd = Array.from({ length: 50_000 }, (_, i) => ((i * 7919) % 50_000) * 2 + 1);
    const set = IntervalSet.of(odd.slice(0, 25_000));
    set.addAll(IntervalSet.of(odd.slice(25_000)));
    expect(set.size).toBe(50_000);
    expect(odd.every((value) => set.has(value) && !set.has(value - 1))).toBe(true);
  });

  it('tells the edges of the interval that holds a value', () => {
    const set = IntervalSet.parse('3-7,9');
    expect([2, 3, 5, 7, 8, 9].map((value) => set.startOf(value))).toEqual([null, 3, 3, 3, null, 9]);
    expect([2, 3, 5, 7, 8, 9].map((value) => set.endOf(value))).toEqual([null, 7, 7, 7, null, 9]);
  });

  it('closes the oldest gaps of what is kept, and only there', () => {
    const set = IntervalSet.of(Array.from({ length: 2500 }, (_, i) => i * 2));
    const kept = set.bounded();
    expect([...kept.intervals()]).toHaveLength(1000);
    expect([kept.has(1), kept.has(2999), kept.has(3001), kept.has(4997)]).toEqual([true, true, false, false]);
    expect([kept.lowest, kept.highest]).toEqual([0, 4998]);
    expect(set.has(1)).toBe(false);
    expect(kept.bounded()).toBe(kept);
  });

  it('refuses what it did not write', () => {
    expect(() => IntervalSet.parse('1-x')).toThrow(TypeError);
  });
});
