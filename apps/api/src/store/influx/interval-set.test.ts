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

  it('stays small: it closes the oldest gaps', () => {
    const set = new IntervalSet();
    for (let value = 0; value < 5000; value += 2) set.add(value);
    expect([...set.intervals()]).toHaveLength(1000);
    expect(set.has(1)).toBe(true);
    expect(set.has(4997)).toBe(false);
  });

  it('refuses what it did not write', () => {
    expect(() => IntervalSet.parse('1-x')).toThrow(TypeError);
  });
});
