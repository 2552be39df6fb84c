import type { Clock } from './clock.js';
import type { Wine } from './model/wine-data.js';
import { type Random, seededRandom } from './random.js';

/** PhaseName is a chapter of the demo's story. */
export type PhaseName = 'calm' | 'shifted' | 'recovered';

/** Phase is how long one chapter lasts and how far its trouble climbs, from 0 (none) to 1 (all of it). */
export interface Phase {
  readonly name: PhaseName;
  readonly durationMs: number;
  readonly trouble: number;
}

/** STORY is the demo as it is told: two minutes in all. */
export const STORY: readonly Phase[] = [
  { name: 'calm', durationMs: 30_000, trouble: 0 },
  { name: 'shifted', durationMs: 40_000, trouble: 1 },
  { name: 'recovered', durationMs: 50_000, trouble: 0 },
];

/** Moment is where the story stands: its phase, how much of it is over (0..1), and the trouble right now (0..1). */
export interface Moment {
  readonly phase: PhaseName;
  readonly progress: number;
  readonly trouble: number;
}

/**
 * momentAt finds the phase that a time in ms since the start falls in; undefined once the story is over. Trouble
 * climbs evenly over the first half of its phase, then stays.
 */
export function momentAt(phases: readonly Phase[], elapsedMs: number): Moment | undefined {
  let begin = 0;
  for (const { name, durationMs, trouble } of phases) {
    if (elapsedMs < begin + durationMs) {
      const progress = (elapsedMs - begin) / durationMs;
      return { phase: name, progress, trouble: trouble * Math.min(1, 2 * progress) };
    }
    begin += durationMs;
  }
  return undefined;
}

/** TrafficRequest is one request: when it is due in ms since the start, what it asks, and how long answering takes. */
export interface TrafficRequest {
  readonly id: string;
  readonly atMs: number;
  readonly phase: PhaseName;
  readonly features: readonly number[];
  readonly trueLabel: string;
  readonly workMs: number;
}

/** TrafficPlan says what the traffic draws from; `deviations` are those of the features, in their own units. */
export interface TrafficPlan {
  readonly wines: readonly Wine[];
  readonly deviations: readonly number[];
  readonly phases: readonly Phase[];
  readonly requestsPerSecond: number;
  readonly seed: number;
}

const CALM_WORK_MS = 15;
const TROUBLED_WORK_FACTOR = 20;
const WORK_SPREAD = 0.25;
const BLEND_SHARE = 0.45;
const SHIFT_DEVIATIONS = 1;

/**
 * traffic is the request stream of a plan: requests arrive at random (a Poisson process), each asks about one of the
 * wines, and the same plan gives the same stream. Trouble is that wines come blended with up to 45% of another, that every
 * measurement is off by up to one standard deviation (up and down in turn), and that the work grows from about 15 ms
 * to about 300 ms. A blend keeps the label of its larger part.
 */
export function* traffic(plan: TrafficPlan): Generator<TrafficRequest, void, undefined> {
  const random = seededRandom(plan.seed);
  let atMs = 0;
  for (let number = 1; ; number++) {
    atMs -= (Math.log(random.uniform()) * 1000) / plan.requestsPerSecond;
    const moment = momentAt(plan.phases, atMs);
    if (moment === undefined) return;
    const { phase, trouble } = moment;
    const wine = pick(plan.wines, random);
    const other = pick(plan.wines, random);
    const features = wine.features.map((value, feature) => {
      const blended = value + trouble * BLEND_SHARE * (other.features[feature] - value);
      const shift = (feature % 2 === 0 ? -1 : 1) * SHIFT_DEVIATIONS * plan.deviations[feature];
      return blended + trouble * shift;
    });
    const middleMs = CALM_WORK_MS * TROUBLED_WORK_FACTOR ** trouble;
    const workMs = middleMs * Math.exp(WORK_SPREAD * random.normal());
    yield { id: `request-${number}`, atMs, phase, features, trueLabel: wine.label, workMs };
  }
}

/** paced yields each request when it is due on the clock, counted from the first call; late ones at once. */
export async function* paced(requests: Iterable<TrafficRequest>, clock: Clock): AsyncGenerator<TrafficRequest, void> {
  const start = clock.now();
  for (const request of requests) {
    const ms = start + request.atMs - clock.now();
    if (ms > 0) await clock.sleep(ms);
    yield request;
  }
}

function pick(wines: readonly Wine[], random: Random): Wine {
  return wines[Math.floor(random.uniform() * wines.length)];
}
