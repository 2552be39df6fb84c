import type { Range } from '../point-store.js';
import { quoteName, quoteText } from './influx-ql.js';
import { TAG_PREFIX } from './names.js';
import { escapeTagValue, escapeText } from './text-escape.js';

/** InfluxDB's times are 64-bit nanoseconds: whole ms inside of them. */
const MAX_MS = 9_223_372_036_000;

/** ofOwner selects a project, or one model of it. */
export function ofOwner({ project, modelId }: Pick<Range, 'project' | 'modelId'>): string {
  const owner = equals('project', project);
  return modelId === undefined ? owner : `${owner} AND ${equals('model', modelId)}`;
}

/** withTags selects the series that carry all of these tags; '' without any. */
export function withTags(tags: Range['tags'] = {}): string {
  return Object.entries(tags)
    .map(([name, value]) => ` AND ${equals(TAG_PREFIX + name, value)}`)
    .join('');
}

/** during selects fromMs <= time < toMs. */
export function during(fromMs: number, toMs: number): string {
  return `time >= ${literal(fromMs)} AND time < ${literal(toMs)}`;
}

/** equals compares a tag with a value as it was sent. */
export function equals(tag: string, value: string): string {
  return `${quoteName(escapeText(tag))} = ${quoteText(escapeTagValue(value))}`;
}

function literal(ms: number): string {
  return `${Math.ceil(Math.min(Math.max(ms, -MAX_MS), MAX_MS))}ms`;
}
