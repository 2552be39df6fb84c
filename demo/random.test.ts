import { describe, expect, test } from 'vitest';
import { seededRandom, shuffled } from './random.js';

describe('seeded randomness', () => {
  test('gives the same stream for the same seed and another for the next', () => {
    const stream = (seed: number): number[] => {
      const random = seededRandom(seed);
      return [random.uniform(), random.normal(), random.uniform()];
    };
    expect(stream(5)).toEqual(stream(5));
    expect(stream(5)).not.toEqual(stream(6));
    expect(stream(0)[0]).not.toBe(stream(0)[2]);
  });

  test('has the moments it claims', () => {
    const random = seededRandom(3);
    const uniforms = Array.from({ length: 20_000 }, () => random.uniform());
    const normals = Array.from({ length: 20_000 }, () => random.normal());
    expect(Math.min(...uniforms)).toBeGreaterThan(0);
    expect(Math.max(...uniforms)).toBeLessThan(1);
    expect(average(uniforms)).toBeCloseTo(0.5, 1);
    expect(average(normals)).toBeCloseTo(0, 1);
    expect(average(normals.map((value) => value ** 2))).toBeCloseTo(1, 1);
  });

  test('shuffles without losing, doubling or touching what it was given', () => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    const mixed = shuffled(items, seededRandom(1));
    expect(mixed).not.toEqual(items);
    expect(mixed.toSorted((a, b) => a - b)).toEqual(items);
    expect(items[0]).toBe(0);
  });
});

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
