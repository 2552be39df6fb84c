import { isRecord } from './is-record.js';

/** Annotations is what could be read of tags or values, how many entries could not, and the estimated JSON size. */
export interface Annotations<T> {
  readonly entries: Readonly<Record<string, T>> | undefined;
  readonly bad: number;
  readonly bytes: number;
}

/** NO_ANNOTATIONS is the answer for nothing given. */
export const NO_ANNOTATIONS: Annotations<never> = { entries: undefined, bad: 0, bytes: 0 };

/** RESERVED_NAMES are refused by the server, for what they could reach in programs that read them back. */
const RESERVED_NAMES: readonly string[] = ['__proto__', 'constructor', 'prototype'];

/** NAMING says in a fault what names the entries may not have. */
export const NAMING = `none named ${RESERVED_NAMES.join(', ')}`;

/** readTags copies tags; numbers and booleans become text, null and undefined are absent, anything else is bad. */
export function readTags(input: unknown): Annotations<string> {
  return readEntries(input, tagText);
}

/** readValues copies values; only finite numbers are good (JSON would turn others into null), null is absent. */
export function readValues(input: unknown): Annotations<number> {
  return readEntries(input, finiteNumber);
}

function tagText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' || finiteNumber(value) !== undefined ? String(value) : undefined;
}

function finiteNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function readEntries<T extends string | number>(
  input: unknown,
  read: (value: unknown) => T | undefined,
): Annotations<T> {
  if (input === undefined || input === null) return NO_ANNOTATIONS;
  if (!isRecord(input) || Array.isArray(input)) return { entries: undefined, bad: 1, bytes: 0 };
  const entries: [string, T][] = [];
  let bad = 0;
  let bytes = 0;
  for (const name of Object.keys(input)) {
    const value = input[name];
    if (value === undefined || value === null) continue;
    const good = RESERVED_NAMES.includes(name) ? undefined : read(value);
    if (good === undefined) {
      bad++;
      continue;
    }
    entries.push([name, good]);
    bytes += name.length + 6 + (typeof good === 'string' ? good.length : 12);
  }
  return { entries: entries.length === 0 ? undefined : Object.fromEntries(entries), bad, bytes };
}
