import type { Range } from '../point-store.js';
import { quoteName, quoteText } from './influx-ql.js';
import { LAP, lapStart, type SeqRange } from './lap.js';
import { nanoseconds } from './line-protocol.js';
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

/** ofSeqs selects rows of one ms by seq; by time too where they are of one lap, so that InfluxDB does not pass over the others. */
export function ofSeqs(ms: number, { from, below }: SeqRange): string {
  const bounds = [
    ...(from > -Infinity ? [` AND "seq" >= ${from}`] : []),
    ...(below < Infinity ? [` AND "seq" < ${below}`] : []),
  ].join('');
  const start = lapStart(from);
  if (!(below <= start + LAP) || ms >= MAX_MS) return during(ms, ms + 1) + bounds;
  const end = below < start + LAP ? `${nanoseconds(ms, below - start)}ns` : literal(ms + 1);
  return `time >= ${nanoseconds(ms, from - start)}ns AND time < ${end}${bounds}`;
}

/** equals compares a tag with a value as it was sent. */
export function equals(tag: string, value: string): string {
  return `${quoteName(escapeText(tag))} = ${quoteText(escapeTagValue(value))}`;
}

function literal(ms: number): string {
  return `${Math.ceil(Math.min(Math.max(ms, -MAX_MS), MAX_MS))}ms`;
}
