import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRollup, RollupError, RollupReader, type Rollup } from './rollup-codec.js';
import { Tally } from './tally.js';

const QS = [0, 0.25, 0.5, 0.9, 0.99, 1];
/** Multiples of 1/8 have exact sums in any order. */
const value = fc.integer({ min: -4000, max: 40_000 }).map((eighths) => eighths / 8);
const column = fc.array(fc.oneof(value, fc.constantFrom(NaN, 0, -0, 5, 5, Infinity, -Infinity)), { maxLength: 60 });

function tallyOf(values: readonly number[]): Tally {
  const tally = new Tally(true);
  tally.addColumn(Float64Array.from(values), 0, values.length);
  return tally;
}

function figures(tally: Tally): unknown {
  return [tally.count, tally.sum, tally.min, tally.max, QS.map((q) => tally.quantile(q))];
}

describe('a tally', () => {
  it.each([1e30, -1e30, Number.MAX_VALUE, -Number.MAX_VALUE, 1e-12])(
    'stays true beside %d among other values',
    (sentinel) => {
      const tally = new Tally(true);
      tally.mergeStored(tallyOf([sentinel, ...new Array<number>(49).fill(0.5)]).store());
      tally.merge(tallyOf(new Array<number>(50).fill(0.75)));
      for (const [q, truth] of [
        [0.1, 0.5],
        [0.49, 0.5],
        [0.6, 0.75],
        [0.9, 0.75],
      ] as const) {
        expect(Math.abs((tally.quantile(q) ?? NaN) / truth - 1)).toBeLessThanOrEqual(0.01);
      }
      expect(tally.store().sketch.length).toBeLessThan(100);
    },
  );

  it('is the same in one go, merged from parts, and merged from stored parts, whatever is empty or equal', () => {
    fc.assert(
      fc.property(fc.array(column, { maxLength: 5 }), (columns) => {
        const whole = tallyOf(columns.flat());
        const merged = new Tally(true);
        const stored = new Tally(true);
        for (const part of columns.map(tallyOf)) {
          merged.merge(part);
          stored.mergeStored(part.store());
        }
        expect(figures(merged)).toEqual(figures(whole));
        expect(figures(stored)).toEqual(figures(whole));
        const present = columns.flat().filter(Number.isFinite);
        expect(whole.count).toBe(present.length);
        expect(whole.sum).toBe(present.reduce((sum, one) => sum + one, 0));
      }),
    );
  });

  it('that was merged into another is not changed by what the other takes in later', () => {
    const part = tallyOf([1, 2, 3]);
    const before = figures(part);
    const whole = new Tally(true);
    whole.merge(part);
    whole.merge(tallyOf([100, 200]));
    expect(figures(part)).toEqual(before);
  });

  it('without quantiles keeps no sketch', () => {
    const tally = new Tally(false);
    tally.addColumn(Float64Array.of(1, 2, 3), 0, 3);
    expect([tally.count, tally.sum, tally.quantile(0.5)]).toEqual([3, 6, null]);
  });
});

describe('a stored rollup', () => {
  const names = fc.constantFrom('latency', 'throughput', 'memory_usage', 'tokens', 'größe 📏', '__proto__', '');
  const rollups = fc.uniqueArray(fc.tuple(names, column), { selector: ([name]) => name, maxLength: 6 });

  it('gives back each metric, and none that had no value', () => {
    fc.assert(
      fc.property(rollups, (entries) => {
        const rollup: Rollup = new Map(entries.map(([name, values]) => [name, tallyOf(values)]));
        const reader = new RollupReader(ownBuffer(encodeRollup(rollup)));
        const decoded = reader.decode();
        for (const [name, tally] of rollup) {
          const found = reader.find(name);
          expect(found?.count ?? 0).toBe(tally.count);
          if (found) expect(figures(decoded.get(name) ?? new Tally(true))).toEqual(figures(tally));
        }
        expect(reader.find('cpu_usage')).toBeNull();
        expect(reader.find('other')).toBeNull();
      }),
    );
  });

  it('that was cut or flipped is refused with an error, never worse', () => {
    fc.assert(
      fc.property(rollups, fc.nat(), fc.integer({ min: 0, max: 255 }), (entries, at, byte) => {
        const body = encodeRollup(new Map(entries.map(([name, values]) => [name, tallyOf(values)])));
        expect(() => new RollupReader(ownBuffer(body.subarray(0, Math.min(at, 15))))).toThrow(RollupError);
        body[at % body.length] ^= byte;
        try {
          new RollupReader(ownBuffer(body)).decode();
        } catch (error) {
          expect(error).toBeInstanceOf(RollupError);
        }
      }),
    );
  });
});

function ownBuffer(body: Uint8Array): ArrayBuffer {
  const own = new Uint8Array(body.length);
  own.set(body);
  return own.buffer;
}
