import { pino } from 'pino';
import { expect, it } from 'vitest';
import { StoreFault, type StoreFaultKind } from '../store-fault.js';
import { createSpoolLog } from './spool-log.js';
import type { SpoolReport } from './spool-report.js';

const away = (kind: StoreFaultKind): SpoolReport => ({ kind: 'away', fault: new StoreFault(kind, `said: ${kind}`) });

function deadLetters(forgottenLines: number): SpoolReport {
  const error = forgottenLines === 0 ? null : new Error('EACCES');
  return { kind: 'dead_letters', lines: 3, reason: 'bad_points', message: 'said: m x=1', forgottenLines, error };
}

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
  [deadLetters(0), 'error'],
  [deadLetters(2), 'error'],
  [{ kind: 'torn', segment: 1, frames: 1 }, 'warn'],
  [{ kind: 'disk_fault', error: new Error('EIO') }, 'error'],
])('logs %o as %s', (report, level) => {
  expect(logged(report).level).toBe(pino.levels.values[level]);
});

it('logs nothing that a server said about points', () => {
  for (const report of [away('bad_points'), deadLetters(0), deadLetters(2)])
    expect(logged(report).text).not.toContain('said');
});

it('says where lines are that the server will never take, and why some are nowhere', () => {
  expect(logged(deadLetters(0)).text).toContain('they are in dead-letter.ndjson');
  const { text } = logged(deadLetters(2));
  expect(text).not.toContain('they are in');
  expect(JSON.parse(text)).toMatchObject({ lines: 3, forgottenLines: 2, err: { message: 'EACCES' } });
});
