import { type Reading, type Target, verdictOf } from './figure.js';

const HEAD = ['figure', 'measured', 'target', 'of target', ''];

/** tableOf shows readings as lines of text: what was measured, what it should be, and the ratio of the two. */
export function tableOf(readings: readonly Reading[]): string {
  const rows = [HEAD, ...readings.map(rowOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return [lines[0], '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2)), ...lines.slice(1)].join('\n');
}

/** quantity writes a number with three significant digits or more, thousands apart, and its unit. */
export function quantity(value: number, unit: string): string {
  if (!Number.isFinite(value)) return 'none';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  const text = value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit === '' ? text : `${text} ${unit}`;
}

function rowOf(reading: Reading): string[] {
  const verdict = verdictOf(reading);
  return [
    reading.name,
    quantity(reading.value, reading.unit),
    reading.target ? targetText(reading.target, reading.unit) : '',
    verdict && verdict.ratio !== null ? `${quantity(verdict.ratio, '')} x` : '',
    verdict ? (verdict.isMet ? 'met' : 'MISSED') : '',
  ];
}

function targetText(target: Target, unit: string): string {
  return 'atLeast' in target ? `>= ${limit(target.atLeast, unit)}` : `<= ${limit(target.atMost, unit)}`;
}

function limit(value: number, unit: string): string {
  const text = value.toLocaleString('en-US');
  return unit === '' ? text : `${text} ${unit}`;
}
