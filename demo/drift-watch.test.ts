import { describe, expect, it } from 'vitest';
import { baselineOf, DriftWatch } from './drift-watch.js';
import { seededRandom } from './random.js';

const random = seededRandom(11);
const rows = Array.from({ length: 400 }, () => [10 + random.normal(), 5 + 2 * random.normal()]);

describe('DriftWatch', () => {
  it('says nothing before its window is full', () => {
    const watch = new DriftWatch(baselineOf(rows), 50);
    for (let i = 0; i < 49; i++) watch.see([10, 5]);
    expect(watch.measure()).toBeNull();
  });

  it('finds no drift in inputs like those of training', () => {
    const watch = new DriftWatch(baselineOf(rows), 50);
    for (let i = 0; i < 50; i++) watch.see([10 + random.normal(), 5 + 2 * random.normal()]);
    expect(watch.measure()?.severity).toBe('low');
  });

  it('grades a shift by how many standard errors the mean is away', () => {
    const watch = new DriftWatch({ means: [0], deviations: [1] }, 100);
    for (let i = 0; i < 100; i++) watch.see([0.5 + (i % 2 === 0 ? 0.1 : -0.1)]);
    expect(watch.measure()).toMatchObject({ severity: 'medium' });
    expect(watch.measure()?.z).toBeCloseTo(5, 6);
  });

  it('is as confident as the normal tail says, corrected for the number of features', () => {
    const watch = new DriftWatch({ means: [0, 0], deviations: [1, 1] }, 4);
    for (let i = 0; i < 4; i++) watch.see([0.98, 0]);
    expect(watch.measure()?.confidence).toBeCloseTo(1 - 2 * 0.05, 3); // z = 1.96
  });
});
