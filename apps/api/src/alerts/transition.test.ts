import type { AlertState } from '@tidemark/state';
import { SEVERITIES, type Severity } from '@tidemark/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Breach } from '../rules/evaluate.js';
import { type Observation, type Step, transition } from './transition.js';

const TIMING = { resolveAfterMs: 300_000, repeatIntervalMs: 14_400_000 };
const breach = (severity: Severity, value = 10, count = 1): Observation & { kind: 'breach' } => ({
  kind: 'breach',
  breach: {
    ...{ project: 'p', modelId: 'm', rule: 'latency', threshold: 5 },
    ...{ severity, value, count, message: `${severity} ${value}` },
  } satisfies Breach,
});
const tick = (quietMs: number, silentMs: number): Observation => ({ kind: 'tick', quietMs, silentMs, timing: TIMING });
const acknowledge: Observation = { kind: 'acknowledge', by: 'ada', comment: 'looking' };
const resolve: Observation = { kind: 'resolve', by: 'ada', comment: null };

/** The state after some observations, one a second; they must leave an alert. */
function after(...observations: readonly Observation[]): AlertState {
  let state: AlertState | null = null;
  for (const [i, observation] of observations.entries()) state = transition(state, observation, i * 1000).next;
  if (!state) throw new Error('nothing fires');
  return state;
}

describe('transition', () => {
  it('fires on the first breach', () => {
    expect(transition(null, breach('high', 10, 3), 7000)).toEqual({
      event: 'fired',
      next: {
        ...{ severity: 'high', message: 'high 10', value: 10, threshold: 5, peak: 10, occurrences: 3 },
        ...{ startedMs: 7000, lastBreachMs: 7000, lastNotifiedMs: 7000 },
        ...{ acknowledged: null, resolvedMs: null, resolvedBy: null, resolveComment: null },
      },
    });
  });

  it.each([tick(1e12, 1e12), acknowledge, resolve])('makes nothing of nothing by %j', (observation) => {
    expect(transition(null, observation, 0)).toEqual({ next: null, event: null });
  });

  it('counts a breach of the same or a lower severity, and tells nobody', () => {
    const first = after(breach('high', 10));
    for (const severity of ['high', 'low'] as const) {
      expect(transition(first, breach(severity, 8, 2), 5000)).toEqual({
        event: null,
        next: { ...first, value: 8, peak: 10, occurrences: 3, lastBreachMs: 5000 },
      });
    }
  });

  it('escalates when the severity rises, with the text of the worse breach', () => {
    expect(transition(after(breach('low', 6)), breach('critical', 20), 5000)).toMatchObject({
      event: 'escalated',
      next: {
        severity: 'critical',
        message: 'critical 20',
        peak: 20,
        occurrences: 2,
        startedMs: 0,
        lastNotifiedMs: 5000,
      },
    });
  });

  it('escalates an acknowledged alert too, and leaves the mark', () => {
    expect(transition(after(breach('low'), acknowledge), breach('high'), 5000)).toMatchObject({
      event: 'escalated',
      next: { acknowledged: { by: 'ada' } },
    });
  });

  it.each([
    ['quiet long enough', [], 300_000, 0, 'resolved'],
    ['quiet not quite long enough', [], 299_999, 0, null],
    ['quiet, although acknowledged', [acknowledge], 300_000, 0, 'resolved'],
    ['quiet and due for a reminder: it resolves', [], 300_000, 14_400_000, 'resolved'],
    ['unseen for hours', [], 0, 14_400_000, 'repeated'],
    ['unseen for not quite so long', [], 0, 14_399_999, null],
    ['acknowledged and going on for hours', [acknowledge], 0, 14_400_000, null],
    ['seen by a clock that went back', [], -3_600_000, -3_600_000, null],
  ] as const)('on an alert %s', (_what, marks, quietMs, silentMs, event) => {
    const state = after(breach('low'), ...marks);
    const step = transition(state, tick(quietMs, silentMs), 9000);
    expect(step.event).toBe(event);
    if (event === null) expect(step.next).toEqual(state);
    if (event === 'resolved') expect(step.next).toEqual({ ...state, resolvedMs: 9000 });
    if (event === 'repeated') expect(step.next).toEqual({ ...state, lastNotifiedMs: 9000 });
  });

  it('keeps who acknowledged and who resolved, and why', () => {
    const state = after(breach('low'), acknowledge);
    expect(state.acknowledged).toEqual({ by: 'ada', comment: 'looking', atMs: 1000 });
    expect(transition(state, { kind: 'resolve', by: 'bob', comment: 'rolled back' }, 5000)).toEqual({
      event: 'resolved',
      next: { ...state, resolvedMs: 5000, resolvedBy: 'bob', resolveComment: 'rolled back' },
    });
  });

  it.each([
    ['resolved by hand', { kind: 'resolve', by: 'bob', comment: null }, 'resolvedMs'],
    ['resolved by quiet', tick(300_000, 0), 'resolvedMs'],
    ['broken again', breach('low'), 'lastBreachMs'],
  ] as const)(
    'lets no alert end before it began when it is %s under a clock that was set back',
    (_what, observation, mark) => {
      const fired = transition(null, breach('low'), 3_600_000).next;
      expect(transition(fired, observation, 60_000).next?.[mark]).toBe(3_600_000);
      expect(transition(fired, observation, 3_700_000).next?.[mark]).toBe(3_700_000);
    },
  );

  it('holds its promises over any sequence of observations', () => {
    const severity = fc.constantFrom(...SEVERITIES);
    const observation: fc.Arbitrary<Observation> = fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .tuple(severity, fc.integer({ min: 6, max: 50 }), fc.integer({ min: 1, max: 9 }))
          .map((parts) => breach(...parts)),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.integer({ min: 0, max: 400_000 }), fc.integer({ min: 0, max: 20_000_000 }))
          .map((parts) => tick(...parts)),
      },
      { weight: 1, arbitrary: fc.constantFrom(acknowledge, resolve) },
    );
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 60 }), (observations) => {
        let state: AlertState | null = null;
        let counted = 0;
        for (const [i, one] of observations.entries()) {
          const before: AlertState | null = state;
          const { next, event }: Step = transition(before, one, i);
          expect(event === 'fired').toBe(before === null && one.kind === 'breach');
          if (event === 'fired') counted = 0;
          if (one.kind === 'breach') {
            counted += one.breach.count;
            expect(next?.occurrences).toBe(counted);
            expect(next?.peak).toBeGreaterThanOrEqual(one.breach.value);
          }
          if (before && next) {
            expect(SEVERITIES.indexOf(next.severity)).toBeGreaterThanOrEqual(SEVERITIES.indexOf(before.severity));
            expect(event === 'escalated').toBe(next.severity !== before.severity);
            expect(event === 'resolved').toBe(next.resolvedMs !== null);
            expect(next.startedMs).toBe(before.startedMs);
            if (before.acknowledged) expect(event).not.toBe('repeated');
          }
          if (one.kind === 'tick' && before && one.quietMs >= TIMING.resolveAfterMs) expect(event).toBe('resolved');
          state = next?.resolvedMs === null ? next : null;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
