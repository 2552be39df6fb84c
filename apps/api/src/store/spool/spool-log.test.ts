import { pino } from 'pino';
import { expect, it } from 'vitest';
import { StoreFault, type StoreFaultKind } from '../store-fault.js';
import { createSpoolLog } from './spool-log.js';
import type { SpoolReport } from './spool-report.js';

const away = (kind: StoreFaultKind): SpoolReport => ({ kind: 'away', fault: new StoreFault(kind, `said: ${kind}`) });

function logged(report: SpoolReport): { level: number; text: string } {
  const lines: string[] = [];
  createSpoolLog(pino({}, { write: (line) => void lines.push(line) }))(report);
  expect(lines).toHaveLength(1);
  return { level: JSON.parse(lines[0] ?? '').level, text: lines[0] ?? '' };
}

it.each<[report: SpoolReport, level: keyof typeof pino.levels.values]>([
  [away('unreachable'), 'warn'],
  [away('timeout'), 'warn'],
  [away('overloaded'), 'warn'],
  [away('unauthorized'), 'error'],
  [away('refused'), 'error'],
  [away('bad_points'), 'warn'],
  [away('too_large'), 'warn'],
  [{ kind: 'back', drainedPoints: 3, awayMs: 1.5 }, 'info'],
  [{ kind: 'dead_letters', lines: 3, reason: 'bad_points', message: 'said: m x=1' }, 'error'],
  [{ kind: 'torn', segment: 1, frames: 1 }, 'warn'],
  [{ kind: 'disk_fault', error: new Error('EIO') }, 'error'],
])('logs %o as %s', (report, level) => {
  expect(logged(report).level).toBe(pino.levels.values[level]);
});

it('logs nothing that a server said about points', () => {
  for (const report of [
    away('bad_points'),
    { kind: 'dead_letters', lines: 1, reason: 'bad_points', message: 'said: m x=1' } as const,
  ])
    expect(logged(report).text).not.toContain('said');
});
