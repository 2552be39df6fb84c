import type { AlertType } from '@tidemark/types';

/** formatQuantity writes a measured value in its own unit: `1500.0 ms` for latency, `5.1%` for the ratios. */
export function formatQuantity(alertType: AlertType, value: number): string {
  if (alertType === 'latency') return `${value.toFixed(1)} ms`;
  return `${(value * 100).toFixed(1)}%`;
}

/** formatExcess says how far a value is over its limit, as in `1.5 times the limit`; undefined if that says nothing. */
export function formatExcess(value: number, threshold: number): string | undefined {
  const ratio = value / threshold;
  if (!Number.isFinite(ratio) || ratio <= 1) return undefined;
  return ratio < 1.1 ? 'just over the limit' : `${ratio < 10 ? ratio.toFixed(1) : ratio.toFixed(0)} times the limit`;
}

/** formatTime writes an RFC 3339 time as `2026-01-31 09:05:07 UTC`; text that is no time is returned as `unknown`. */
export function formatTime(time: string): string {
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) return 'unknown';
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** formatDuration writes milliseconds with its two largest units, as in `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined(hours, 'h', minutes % 60, 'min');
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
