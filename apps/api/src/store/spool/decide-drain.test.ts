import { describe, expect, it } from 'vitest';
import { decideDrain, type DrainAction, type DrainQuestion } from './decide-drain.js';

const HALVE: DrainAction = { kind: 'halve' };
const retry = (delayMs: number): DrainAction => ({ kind: 'retry', delayMs });
const aside = (reason: 'bad_points' | 'beside_bad_points' | 'too_large'): DrainAction => ({
  kind: 'set_aside',
  reason,
});

describe('decideDrain', () => {
  it.each<[given: Partial<DrainQuestion>, wanted: DrainAction]>([
    [{ kind: 'unreachable', failures: 1 }, retry(100)],
    [{ kind: 'unreachable', failures: 1, random: 0 }, retry(50)],
    [{ kind: 'timeout', failures: 2 }, retry(200)],
    [{ kind: 'unreachable', failures: 9 }, retry(25_600)],
    [{ kind: 'unreachable', failures: 10 }, retry(30_000)],
    [{ kind: 'unreachable', failures: 100_000, random: 0 }, retry(15_000)],
    [{ kind: 'unreachable', failures: 1, lines: 1 }, retry(100)],
    [{ kind: 'overloaded', failures: 3 }, retry(400)],
    [{ kind: 'overloaded', failures: 1, retryAfterMs: 5000, random: 0 }, retry(5000)],
    [{ kind: 'overloaded', failures: 9, retryAfterMs: 5000 }, retry(25_600)],
    [{ kind: 'overloaded', failures: 1, retryAfterMs: 86_400_000 }, retry(300_000)],
    [{ kind: 'unauthorized', failures: 1 }, retry(5000)],
    [{ kind: 'unauthorized', failures: 1, lines: 1, random: 0 }, retry(2500)],
    [{ kind: 'unauthorized', failures: 4 }, retry(30_000)],
    [{ kind: 'refused', failures: 1, retryAfterMs: 9000 }, retry(9000)],
    [{ kind: 'refused', failures: 50, lines: 1 }, retry(30_000)],
    [{ kind: 'too_large', lines: 2 }, HALVE],
    [{ kind: 'too_large', lines: 2, leastLines: 64 }, HALVE],
    [{ kind: 'too_large', lines: 1 }, aside('too_large')],
    [{ kind: 'bad_points', lines: 2 }, HALVE],
    [{ kind: 'bad_points', lines: 1 }, aside('bad_points')],
    [{ kind: 'bad_points', lines: 65, leastLines: 64 }, HALVE],
    [{ kind: 'bad_points', lines: 64, leastLines: 64 }, aside('beside_bad_points')],
    [{ kind: 'bad_points', lines: 1, leastLines: 64 }, aside('bad_points')],
  ])('answers %o with %o', (given, wanted) => {
    const question = {
      kind: 'refused',
      retryAfterMs: null,
      failures: 1,
      lines: 100,
      leastLines: 1,
      random: 1,
    } as const;
    expect(decideDrain({ ...question, ...given })).toEqual(wanted);
  });
});
