import type { ItemFault } from '@tidemark/types';
import { isExactInteger } from './exact-numbers.js';
import { pointerTo } from './json-pointer.js';

/** Each text has one way to match: with two, refusing a long one would take time quadratic in its length. */
const NUMBER = /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*$/;
const INTEGER = /^[-+]?\d+$/;
const FIELDS: readonly string[] = ['latency', 'throughput', 'error_rate', 'confidence'];
const OBJECTS: readonly string[] = ['resource_usage', 'values'];

/** Coerced is a metric whose numeric strings were read as numbers, and the strings that no double can hold. */
export interface Coerced {
  readonly item: unknown;
  readonly faults: readonly ItemFault[];
}

/** coerceNumbers reads numeric strings as numbers where a metric has numbers; everything else is left for the schema to judge. */
export function coerceNumbers(item: unknown): Coerced {
  if (!isObject(item)) return { item, faults: [] };
  const faults: ItemFault[] = [];
  const copy: Record<string, unknown> = { ...item };
  for (const name of FIELDS) copyNumber(copy, name, '', faults);
  for (const name of OBJECTS) copyNumbers(copy, name, faults);
  return { item: copy, faults };
}

/** coerceThresholds does the same with the limits of a registration, which are the only numbers that it reads so. */
export function coerceThresholds(registration: unknown): Coerced {
  if (!isObject(registration)) return { item: registration, faults: [] };
  const faults: ItemFault[] = [];
  const copy: Record<string, unknown> = { ...registration };
  copyNumbers(copy, 'thresholds', faults);
  return { item: copy, faults };
}

function copyNumbers(target: Record<string, unknown>, name: string, faults: ItemFault[]): void {
  const inner = target[name];
  if (!isObject(inner)) return;
  const copy: Record<string, unknown> = { ...inner };
  for (const key of Object.keys(copy)) copyNumber(copy, key, `/${name}`, faults);
  target[name] = copy;
}

function copyNumber(target: Record<string, unknown>, name: string, parent: string, faults: ItemFault[]): void {
  const text = target[name];
  if (typeof text !== 'string' || text.length > 400 || !NUMBER.test(text)) return;
  const trimmed = text.trim();
  const pointer = pointerTo(parent, name);
  if (INTEGER.test(trimmed) && !isExactInteger(trimmed.replace('+', ''))) {
    faults.push({ pointer, code: 'not_exact', message: `${trimmed.slice(0, 40)} cannot be held exactly in a double` });
  } else if (!Number.isFinite(Number(trimmed))) {
    faults.push({ pointer, code: 'not_finite', message: `${trimmed.slice(0, 40)} is too large for a double` });
  }
  target[name] = Number(trimmed);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
