import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Clock } from './clock.js';
import { trainWineClassifier } from './model/wine-classifier.js';
import { parseWine } from './model/wine-data.js';
import { seededRandom } from './random.js';
import { momentAt, paced, type PhaseName, STORY, traffic, type TrafficRequest } from './traffic.js';

const data = parseWine(readFileSync(new URL('./data/wine.csv', import.meta.url), 'utf8'));
const classifier = trainWineClassifier(data, seededRandom(7));

function requests(seed: number): TrafficRequest[] {
  const plan = { wines: classifier.heldOut, deviations: classifier.deviations, phases: STORY, requestsPerSecond: 20 };
  return [...traffic({ ...plan, seed })];
}

/** settled are the requests of the later half of a phase, where its trouble no longer changes. */
function settled(all: readonly TrafficRequest[], phase: PhaseName): TrafficRequest[] {
  return all.filter((each) => each.phase === phase && (momentAt(STORY, each.atMs)?.progress ?? 0) >= 0.5);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('the story', () => {
  test.each([
    [0, 'calm', 0, 0],
    [15_000, 'calm', 0.5, 0],
    [30_000, 'shifted', 0, 0],
    [40_000, 'shifted', 0.25, 0.5],
    [50_000, 'shifted', 0.5, 1],
    [69_999, 'shifted', 1, 1],
    [70_000, 'recovered', 0, 0],
  ])('at %i ms is %s', (elapsedMs, phase, progress, trouble) => {
    const moment = momentAt(STORY, elapsedMs);
    expect(moment?.phase).toBe(phase);
    expect(moment?.progress).toBeCloseTo(progress, 3);
    expect(moment?.trouble).toBeCloseTo(trouble, 3);
  });

  test('ends after its last phase', () => {
    expect(momentAt(STORY, 120_000)).toBeUndefined();
    expect(momentAt([], 0)).toBeUndefined();
  });
});

describe('the traffic', () => {
  test('is the same for the same seed and another for the next', () => {
    expect(requests(1)).toEqual(requests(1));
    expect(requests(1)).not.toEqual(requests(2));
  });

  test('arrives in order, at the rate of the plan, under ids of its own, through every phase', () => {
    const all = requests(1);
    expect(all.every(({ atMs }, i) => atMs > (all[i - 1]?.atMs ?? 0) && atMs < 120_000)).toBe(true);
    expect(Math.abs(all.length - 2400)).toBeLessThan(4 * Math.sqrt(2400));
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect([...new Set(all.map(({ phase }) => phase))]).toEqual(['calm', 'shifted', 'recovered']);
  });

  test('asks about wines as they are while there is no trouble', () => {
    const known = new Set(classifier.heldOut.map((wine) => `${wine.label}:${wine.features.join()}`));
    for (const phase of ['calm', 'recovered'] as const) {
      const all = requests(1).filter((each) => each.phase === phase);
      expect(all.every((each) => known.has(`${each.trueLabel}:${each.features.join()}`))).toBe(true);
    }
  });

  test('slows down when shifted so that no calm request is as slow as the quickest settled one is', () => {
    for (const seed of [1, 2, 3]) {
      const all = requests(seed);
      const slowest = (phase: PhaseName): number => Math.max(...settled(all, phase).map(({ workMs }) => workMs));
      const quickest = Math.min(...settled(all, 'shifted').map(({ workMs }) => workMs));
      expect(Math.max(slowest('calm'), slowest('recovered'))).toBeLessThan(60);
      expect(quickest).toBeGreaterThan(100);
    }
  });

  test('makes the model wrong and unsure when shifted, and only then', () => {
    const all = requests(1);
    const told = (phase: PhaseName): { accuracy: number; confidence: number } => {
      const answers = settled(all, phase).map((each) => ({ each, answer: classifier.predict(each.features) }));
      return {
        accuracy: average(answers.map(({ each, answer }) => (answer.label === each.trueLabel ? 1 : 0))),
        confidence: average(answers.map(({ answer }) => answer.confidence)),
      };
    };
    for (const phase of ['calm', 'recovered'] as const) {
      expect(told(phase).accuracy).toBeGreaterThan(0.94);
      expect(told(phase).confidence).toBeGreaterThan(0.92);
    }
    expect(told('shifted').accuracy).toBeLessThan(0.8);
    expect(told('shifted').confidence).toBeLessThan(0.88);
  });

  test('moves the distribution of its measurements by about a standard deviation', () => {
    const all = requests(1);
    const proline = (phase: PhaseName): number => average(settled(all, phase).map(({ features }) => features[12]));
    const moved = (proline('shifted') - proline('calm')) / classifier.deviations[12];
    expect(moved).toBeCloseTo(-1, 0);
    expect(Math.abs(proline('recovered') - proline('calm')) / classifier.deviations[12]).toBeLessThan(0.3);
  });
});

describe('pacing', () => {
  /** turnedByHand is a clock that jumps to the end of every sleep. */
  function turnedByHand(): Clock & { time: number } {
    return {
      time: 1000,
      now() {
        return this.time;
      },
      async sleep(ms) {
        this.time += ms;
      },
    };
  }

  test('hands out each request when it is due, and late ones at once', async () => {
    const clock = turnedByHand();
    const all = requests(1).slice(0, 5);
    const times: number[] = [];
    for await (const { id } of paced(all, clock)) {
      times.push(clock.time - 1000);
      if (id === 'request-2') clock.time = 1000 + all[3].atMs + 1;
    }
    const late = all[3].atMs + 1;
    [all[0].atMs, all[1].atMs, late, late, all[4].atMs].forEach((due, i) => expect(times[i]).toBeCloseTo(due, 6));
  });
});
