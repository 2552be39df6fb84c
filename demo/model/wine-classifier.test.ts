import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { seededRandom, shuffled } from '../random.js';
import { serve } from './serve.js';
import { fitStandardiser, standardise } from './standardiser.js';
import { trainWineClassifier } from './wine-classifier.js';
import { parseWine } from './wine-data.js';

const csv = readFileSync(new URL('../data/wine.csv', import.meta.url), 'utf8');
const data = parseWine(csv);

describe('the wine data', () => {
  test('holds the 178 wines of three cultivators that its source describes', () => {
    const counts = data.labels.map((label) => data.rows.filter((wine) => wine.label === label).length);
    expect(counts).toEqual([59, 71, 48]);
    expect(Math.max(...data.rows.map((wine) => wine.features[12]))).toBe(1680);
    expect(Math.min(...data.rows.map((wine) => wine.features[12]))).toBe(278);
  });

  test.each([
    ['a word for a number', csv.replace('14.23', 'much'), 'line 2'],
    ['a missing number', csv.replace('14.23,', ''), 'line 2'],
    ['an empty field', csv.replace('14.23', ''), 'line 2'],
    ['a class that is not there', csv.replace('1065,0', '1065,3'), 'line 2'],
    ['a missing line', csv.trimEnd().split('\n').slice(0, -1).join('\n'), 'line 1'],
    ['another set of measurements', csv.replace('178,13', '178,12'), 'line 1'],
  ])('is refused with its line when it has %s', (_name, broken, line) => {
    expect(() => parseWine(broken)).toThrow(line);
  });
});

test('standardised features have mean 0 and deviation 1, and one that never varies stays 0', () => {
  const rows = [
    [1, 5],
    [2, 5],
    [6, 5],
  ];
  const standardised = rows.map((row) => standardise(fitStandardiser(rows), row));
  const first = standardised.map(([value]) => value);
  expect(first.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 12);
  expect(first.reduce((sum, value) => sum + value ** 2, 0) / 3).toBeCloseTo(1, 12);
  expect(standardised.map(([, value]) => value)).toEqual([0, 0, 0]);
});

describe('the wine classifier', () => {
  const classifier = trainWineClassifier(data, seededRandom(7));

  test('is as accurate on the wines it has not seen as it claims', () => {
    const right = classifier.heldOut.filter(({ features, label }) => classifier.predict(features).label === label);
    expect(classifier.heldOut).toHaveLength(53);
    expect(right.length / 53).toBe(classifier.heldOutAccuracy);
    expect(classifier.heldOutAccuracy).toBeGreaterThanOrEqual(0.94);
  });

  test('learns from every split, and nothing from labels dealt at random', () => {
    const accuracies = Array.from({ length: 5 }, (_, i) => trainWineClassifier(data, seededRandom(i)).heldOutAccuracy);
    expect(Math.min(...accuracies)).toBeGreaterThan(0.92);
    const dealt = shuffled(data.rows, seededRandom(2)).map((wine) => wine.label);
    const shuffledRows = data.rows.map((wine, i) => ({ ...wine, label: dealt[i] }));
    const guess = trainWineClassifier({ ...data, rows: shuffledRows }, seededRandom(7));
    expect(guess.heldOutAccuracy).toBeLessThan(0.6);
  });

  test('does not train on what it holds out', () => {
    const heldOut = new Set(classifier.heldOut);
    // With the held-out wines blanked, a model that never looks at them predicts exactly what it predicted before.
    const rows = data.rows.map((wine) =>
      heldOut.has(wine) ? { ...wine, features: wine.features.map(() => 0) } : wine,
    );
    const blind = trainWineClassifier({ ...data, rows }, seededRandom(7));
    for (const { features } of classifier.heldOut)
      expect(blind.predict(features)).toEqual(classifier.predict(features));
  });

  test('is the same again from the same seed', () => {
    const again = trainWineClassifier(data, seededRandom(7));
    for (const { features } of data.rows) expect(again.predict(features)).toEqual(classifier.predict(features));
  });

  test('gives a probability as its confidence, however far off the features are', () => {
    for (const value of [0, 1e6, -1e6, 1e300]) {
      const { label, confidence } = classifier.predict(new Array<number>(13).fill(value));
      expect(data.labels).toContain(label);
      expect(confidence).toBeGreaterThanOrEqual(1 / 3 - 1e-12);
      expect(confidence).toBeLessThanOrEqual(1);
    }
  });

  test('is served after the work the request takes', async () => {
    const slept: number[] = [];
    const clock = { now: () => 0, sleep: async (ms: number) => void slept.push(ms) };
    const [{ features }] = classifier.heldOut;
    await expect(serve(classifier, clock)({ features, workMs: 120 })).resolves.toEqual(classifier.predict(features));
    expect(slept).toEqual([120]);
  });
});
