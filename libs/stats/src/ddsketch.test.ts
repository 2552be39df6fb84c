import { DDSketch as DatadogSketch } from '@datadog/sketches-js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DDSketch } from './ddsketch.js';
import latencies from './vectors/quantiles.json' with { type: 'json' };

const QUANTILES = [0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];
const ROUNDING = 1e-9;

/** exactQuantile is the value at the rank that the sketch documents. */
function exactQuantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length * (1 - 1e-12)) - 1)];
}

function sketchOf(values: readonly number[], options = {}): DDSketch {
  const sketch = new DDSketch(options);
  for (const value of values) sketch.add(value);
  return sketch;
}

/** relativeError is 0 for equal values, else |estimate - exact| / |exact|. */
function relativeError(estimate: number | null, exact: number): number {
  if (estimate === null) return Infinity;
  return estimate === exact ? 0 : Math.abs(estimate - exact) / Math.abs(exact);
}

function worstError(values: readonly number[], accuracy: number): number {
  const sketch = sketchOf(values, { relativeAccuracy: accuracy, maxBins: 65_536 });
  return Math.max(...QUANTILES.map((q) => relativeError(sketch.quantile(q), exactQuantile(values, q))));
}

/** draw makes n values of a distribution from a seeded stream of uniforms in (0, 1). */
function draw(n: number, seed: number, value: (uniform: () => number) => number): number[] {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Array.from({ length: n }, () => value(uniform));
}

const normal = (uniform: () => number): number =>
  Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());

const DISTRIBUTIONS: readonly [string, (uniform: () => number) => number][] = [
  ['uniform', (u) => u()],
  ['uniform around zero', (u) => u() - 0.5],
  ['normal', normal],
  ['normal far from zero', (u) => 1e6 + normal(u)],
  ['log-normal', (u) => Math.exp(2 * normal(u))],
  ['exponential', (u) => -Math.log(u())],
  ['Pareto with a heavy tail', (u) => (1 / u()) ** 2],
  ['negative log-normal', (u) => -Math.exp(normal(u))],
  ['two modes of both signs', (u) => (u() < 0.3 ? -100 - u() : 5 + u())],
  ['mostly zeros', (u) => (u() < 0.9 ? 0 : normal(u))],
  ['small integers', (u) => Math.floor(u() * 10) - 5],
  ['every magnitude of a float64', (u) => (u() < 0.5 ? -1 : 1) * 10 ** (u() * 319 - 11)],
];

const indexable = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => (Math.abs(value) < 1e-12 ? 0 : value));
const smallInteger = fc.integer({ min: -1000, max: 1000 });

describe('the quantiles of a sketch', () => {
  for (const accuracy of [0.001, 0.01, 0.05]) {
    // At 0.001 the whole range of float64 would need more bins than a sketch may have.
    test.each(accuracy < 0.01 ? DISTRIBUTIONS.slice(0, -1) : DISTRIBUTIONS)(
      `stay within ${accuracy} of the exact ones: %s`,
      (_name, value) => {
        expect(worstError(draw(5000, 7, value), accuracy)).toBeLessThanOrEqual(accuracy + ROUNDING);
      },
    );
  }

  test('stay within the accuracy on any finite values at all', () => {
    fc.assert(
      fc.property(fc.array(indexable, { minLength: 1, maxLength: 200 }), (values) => {
        expect(worstError(values, 0.01)).toBeLessThanOrEqual(0.01 + ROUNDING);
      }),
      { numRuns: 500 },
    );
  });

  test('never fall as q rises, and lie between the minimum and the maximum', () => {
    fc.assert(
      fc.property(fc.array(indexable, { minLength: 1, maxLength: 60 }), (values) => {
        const sketch = sketchOf(values);
        const estimates = QUANTILES.map((q) => sketch.quantile(q) ?? NaN);
        expect(estimates).toEqual(estimates.toSorted((a, b) => a - b));
        expect(estimates.at(0)).toBe(sketch.min);
        expect(estimates.at(-1)).toBe(sketch.max);
      }),
    );
  });

  test('agree with published percentiles of ten latencies', () => {
    const sketch = sketchOf(latencies.x);
    // The linear median lies between the ranks 4 and 5 (101 and 105); the nearest rank is the lower of them.
    expect(relativeError(sketch.quantile(0.5), 101)).toBeLessThanOrEqual(0.01);
    expect(sketch.quantile(0.5)).toBeLessThanOrEqual(latencies.numpyLinear.p50);
    expect(sketch.quantile(0.95)).toBe(latencies.nearestRank.p95);
  });

  test('agree with the sketch of Datadog within both errors', () => {
    for (const [name, value] of DISTRIBUTIONS.slice(0, -1)) {
      const values = draw(3000, 11, value);
      const theirs = new DatadogSketch({ relativeAccuracy: 0.01 });
      for (const each of values) theirs.accept(each);
      const ours = sketchOf(values);
      for (const q of QUANTILES) {
        const reference = theirs.getValueAtQuantile(q);
        const gap = Math.abs((ours.quantile(q) ?? NaN) - reference);
        expect(gap, `${name}, q ${q}`).toBeLessThanOrEqual(Math.abs(reference) * (0.02 / 0.99) + ROUNDING);
      }
    }
  });

  test('count a value closer to zero than 1e-12 as zero', () => {
    const sketch = sketchOf([-5, -9e-13, 9e-13, 9e-13, 5]);
    expect(sketch.quantile(0.5)).toBe(0);
    expect(sketchOf([3e-13, 3e-13]).quantile(0.5)).toBe(3e-13);
    expect(relativeError(sketchOf([1, 1e-12, 1e-12]).quantile(0.5), 1e-12)).toBeLessThanOrEqual(0.01 + ROUNDING);
  });

  test('keep the largest magnitudes exact enough when the smallest collapse', () => {
    const values = draw(4000, 3, (u) => 10 ** (u() * 60 - 10));
    const sketch = sketchOf(values, { maxBins: 512 });
    const kept = values.filter((value) => value > Math.max(...values) * Math.exp(-10));
    const from = 1 - (kept.length - 1) / values.length;
    for (const q of [from, (1 + from) / 2, 0.999]) {
      expect(relativeError(sketch.quantile(q), exactQuantile(values, q))).toBeLessThanOrEqual(0.01 + ROUNDING);
    }
    expect(sketch.count).toBe(4000);
    expect(sketch.quantile(0)).toBe(Math.min(...values));
  });

  test('collapse no sooner than the limit of bins says', () => {
    // Neighbouring bins are a factor of 1.01 / 0.99 apart; the first and the last value are known exactly anyway.
    const values = Array.from({ length: 9 }, (_, i) => 10 * (1.01 / 0.99) ** i);
    const second = (maxBins: number): number => relativeError(sketchOf(values, { maxBins }).quantile(0.125), values[1]);
    expect(second(9)).toBeLessThanOrEqual(0.01 + ROUNDING);
    expect(second(8)).toBeLessThanOrEqual(0.01 + ROUNDING);
    expect(second(7)).toBeGreaterThan(0.01 + ROUNDING);
  });

  test('are refused outside of 0 to 1', () => {
    const sketch = sketchOf([1]);
    for (const q of [-0.01, 1.01, NaN]) expect(() => sketch.quantile(q)).toThrow(RangeError);
  });
});

describe('the totals of a sketch', () => {
  test('are empty before the first value', () => {
    const sketch = new DDSketch();
    expect([sketch.count, sketch.sum, sketch.min, sketch.max, sketch.quantile(0.5)]).toEqual([0, 0, null, null, null]);
  });

  test('are exact', () => {
    fc.assert(
      fc.property(fc.array(smallInteger, { minLength: 1 }), (values) => {
        const sketch = sketchOf(values);
        expect(sketch.count).toBe(values.length);
        expect(sketch.sum).toBe(values.reduce((a, b) => a + b, 0));
        expect(sketch.min).toBe(Math.min(...values));
        expect(sketch.max).toBe(Math.max(...values));
      }),
    );
  });

  test('count a repeated value as often as told', () => {
    const repeated = new DDSketch();
    repeated.add(3, 4);
    repeated.add(-7, 2);
    expect(repeated.toBytes()).toEqual(sketchOf([3, 3, 3, 3, -7, -7]).toBytes());
  });

  test('hold up to 2^53 - 1 values and refuse the next, unchanged', () => {
    const sketch = new DDSketch();
    sketch.add(1, Number.MAX_SAFE_INTEGER - 1);
    sketch.add(2);
    const before = sketch.toBytes();
    expect(() => sketch.add(1)).toThrow(RangeError);
    expect(() => sketch.merge(sketchOf([1]))).toThrow(RangeError);
    expect(() => sketch.mergeBytes(sketchOf([1]).toBytes())).toThrow(RangeError);
    expect(sketch.toBytes()).toEqual(before);
    expect(DDSketch.fromBytes(before).toBytes()).toEqual(before);
    expect(sketch.quantile(0.5)).toBeCloseTo(1, 1);
  });

  test.each([NaN, Infinity, -Infinity])('refuse the value %s', (value) => {
    const sketch = new DDSketch();
    expect(() => sketch.add(value)).toThrow(RangeError);
    expect(sketch.count).toBe(0);
  });

  test.each([0, -1, 1.5, NaN, Infinity, 2 ** 53])('refuse the count %s', (count) => {
    expect(() => new DDSketch().add(1, count)).toThrow(RangeError);
  });
});

test.each([
  { relativeAccuracy: 0 },
  { relativeAccuracy: 0.51 },
  { relativeAccuracy: NaN },
  { maxBins: 1 },
  { maxBins: 2.5 },
  { maxBins: 65_537 },
])('the options %o are refused', (options) => {
  expect(() => new DDSketch(options)).toThrow(RangeError);
});

describe('merging', () => {
  const parts = fc.array(fc.array(smallInteger, { maxLength: 40 }), { minLength: 3, maxLength: 3 });
  const magnitudes = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: -40, max: 200 })), { maxLength: 40 });
  // Powers of two keep the sums exact in any order, and spread over far more bins than the small limit below.
  const wideParts = fc.array(
    magnitudes.map((list) => list.map(([negative, exponent]) => (negative ? -1 : 1) * 2 ** (exponent / 10))),
    { minLength: 3, maxLength: 3 },
  );

  test.each([
    ['without collapsing', parts, 2048],
    ['with 16 bins', wideParts, 16],
  ])('in any order and grouping equals adding everything, %s', (_name, arbitrary, maxBins) => {
    fc.assert(
      fc.property(arbitrary, ([a, b, c]) => {
        const options = { maxBins };
        const leftFirst = sketchOf(a, options);
        leftFirst.merge(sketchOf(b, options));
        leftFirst.merge(sketchOf(c, options));
        const right = sketchOf(c, options);
        right.merge(sketchOf(b, options));
        const rightFirst = sketchOf(a, options);
        rightFirst.merge(right);
        const all = sketchOf([...b, ...c, ...a], options);
        expect(binsOf(leftFirst)).toEqual(binsOf(all));
        expect(binsOf(rightFirst)).toEqual(binsOf(all));
        expect(leftFirst.sum).toBeCloseTo(all.sum, 3);
      }),
      { numRuns: 300 },
    );
  });

  test('a serialised sketch equals merging the sketch it came from', () => {
    fc.assert(
      fc.property(fc.array(indexable), fc.array(indexable), fc.constantFrom(8, 2048), (a, b, maxBins) => {
        const bytes = sketchOf(b).toBytes();
        const direct = sketchOf(a, { maxBins });
        direct.mergeBytes(bytes);
        const built = sketchOf(a, { maxBins });
        built.merge(DDSketch.fromBytes(bytes));
        expect(direct.toBytes()).toEqual(built.toBytes());
      }),
      { numRuns: 300 },
    );
  });

  test('a sketch into itself doubles it', () => {
    const sketch = sketchOf([1, 2, -3, 0]);
    sketch.merge(sketch);
    expect(sketch.toBytes()).toEqual(sketchOf([1, 2, -3, 0, 1, 2, -3, 0]).toBytes());
  });

  test('another accuracy is refused and changes nothing', () => {
    const sketch = sketchOf([1, 2, 3]);
    const other = sketchOf([4], { relativeAccuracy: 0.02 });
    expect(() => sketch.merge(other)).toThrow(RangeError);
    expect(() => sketch.mergeBytes(other.toBytes())).toThrow(RangeError);
    expect(sketch.toBytes()).toEqual(sketchOf([1, 2, 3]).toBytes());
  });

  test('a clone goes its own way', () => {
    const sketch = sketchOf([1, -2, 0, 3]);
    const copy = sketch.clone();
    expect(copy.toBytes()).toEqual(sketch.toBytes());
    copy.add(1);
    copy.add(900);
    expect(sketch.toBytes()).toEqual(sketchOf([1, -2, 0, 3]).toBytes());
    expect(copy.toBytes()).toEqual(sketchOf([1, -2, 0, 3, 1, 900]).toBytes());
  });
});

/** binsOf is a sketch's serialised form without its sum, whose last bits depend on the order of additions. */
function binsOf(sketch: DDSketch): number[] {
  const bytes = [...sketch.toBytes()];
  return [...bytes.slice(0, 9), ...bytes.slice(17)];
}
