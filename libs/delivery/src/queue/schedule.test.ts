import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextAttempt, RETRY_HORIZON_MS, RETRY_STEPS_MS } from './schedule.js';

describe('nextAttempt', () => {
  it('waits 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, then 3 h again and again, 24 h in all', () => {
    const waits = RETRY_STEPS_MS.map((_, index) => nextAttempt({ attempts: index + 1, ageMs: 0, random: 1 }));
    const seconds = waits.map((answer) => (answer.kind === 'retry' ? answer.delayMs / 1000 : NaN));
    expect(seconds.slice(0, 8)).toEqual([5, 30, 120, 600, 1800, 3600, 10_800, 10_800]);
    expect(seconds.reduce((sum, wait) => sum + wait)).toBe(86_400);
    expect(Math.min(...seconds.slice(6))).toBeGreaterThan(3600);
    expect(Math.max(...seconds)).toBe(10_800);
  });

  it('is dead after the last step', () => {
    expect(nextAttempt({ attempts: RETRY_STEPS_MS.length, ageMs: 0, random: 0 })).toMatchObject({ kind: 'retry' });
    expect(nextAttempt({ attempts: RETRY_STEPS_MS.length + 1, ageMs: 0, random: 0 })).toEqual({ kind: 'dead' });
  });

  it('is dead after 24 hours, however few the tries', () => {
    expect(nextAttempt({ attempts: 2, ageMs: RETRY_HORIZON_MS - 1, random: 0 })).toMatchObject({ kind: 'retry' });
    expect(nextAttempt({ attempts: 2, ageMs: RETRY_HORIZON_MS, random: 0 })).toEqual({ kind: 'dead' });
  });

  it('shortens a step by a fifth at most', () => {
    expect(nextAttempt({ attempts: 1, ageMs: 0, random: 0 })).toEqual({ kind: 'retry', delayMs: 4000 });
    expect(nextAttempt({ attempts: 1, ageMs: 0, random: 1 })).toEqual({ kind: 'retry', delayMs: 5000 });
  });

  it('waits as long as the receiver asks, without jitter and within the 24 hours', () => {
    expect(nextAttempt({ attempts: 1, ageMs: 0, random: 0, afterMs: 60_000 })).toEqual({
      kind: 'retry',
      delayMs: 60_000,
    });
    expect(nextAttempt({ attempts: 3, ageMs: 0, random: 1, afterMs: 1000 })).toEqual({
      kind: 'retry',
      delayMs: 120_000,
    });
    const late = nextAttempt({ attempts: 2, ageMs: RETRY_HORIZON_MS - 50_000, random: 1, afterMs: 3_600_000 });
    expect(late).toEqual({ kind: 'retry', delayMs: 50_000 });
  });

  it('ends for any receiver and any clock, and never waits longer than the larger of its step and what was asked', () => {
    const clock = fc.record({
      ageMs: fc.integer({ min: -1e12, max: 1e12 }),
      random: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const asked = fc.option(fc.integer({ min: 0, max: RETRY_HORIZON_MS }), { nil: undefined });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), clock, asked, (attempts, { ageMs, random }, afterMs) => {
        const answer = nextAttempt({ attempts, ageMs, random, ...(afterMs === undefined ? {} : { afterMs }) });
        if (attempts > RETRY_STEPS_MS.length) expect(answer).toEqual({ kind: 'dead' });
        if (answer.kind === 'dead') return;
        expect(answer.delayMs).toBeGreaterThan(0);
        expect(answer.delayMs).toBeLessThanOrEqual(Math.max(RETRY_STEPS_MS[attempts - 1] ?? 0, afterMs ?? 0));
      }),
    );
  });
});
