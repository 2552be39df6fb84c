import type { InferenceMetric, ItemFault } from '@tidemark/types';
import { MAX_NAME_LENGTH } from '@tidemark/types';
import type { Series } from '../store/point-store.js';
import { pointerTo } from './json-pointer.js';

/** ACTIVE_MS is how long a series counts as active after its last point. */
export const ACTIVE_MS = 24 * 3_600_000;

/** RegistryOptions bound the registry. */
export interface RegistryOptions {
  /** Active series a project may have. */
  readonly maxSeries: number;
}

/** SeriesOutcome is the series of a metric, or why it has none. */
export type SeriesOutcome =
  { readonly ok: true; readonly series: Series } | { readonly ok: false; readonly fault: ItemFault };

/** MetricIdentity is what of a metric names its series. */
export type MetricIdentity = Pick<InferenceMetric, 'model_id' | 'model_type' | 'tags'>;

interface Entry {
  readonly series: Series;
  lastSeenMs: number;
}

const RESERVED = new Set(['__proto__', 'constructor', 'prototype']);
const NO_TAGS: Readonly<Record<string, string>> = Object.freeze({});
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f\u0080-\u009f\u2028\u2029]/;

/**
 * SeriesRegistry gives every accepted metric its series and keeps the number of active ones per project bounded.
 * Names are checked once, when a series is first seen: a known series costs one look-up.
 */
export class SeriesRegistry {
  private readonly entries = new Map<string, Entry>();
  /** Keys with the tags in the order a client sent them, to save sorting them each time. */
  private readonly aliases = new Map<string, Entry>();
  private readonly perProject = new Map<string, number>();
  /** No series can have become quiet before then, so that a flood of refused ones does not look at all of them each time. */
  private quietFromMs = -Infinity;

  constructor(private readonly options: RegistryOptions) {}

  /** load takes over the series that were active before a restart; it may come after some of them were seen again. */
  load(series: readonly Series[], nowMs: number): void {
    for (const one of series) if (!this.entries.has(one.key)) this.add(one, nowMs);
  }

  /** count is the number of active series of a project. */
  count(project: string): number {
    return this.perProject.get(project) ?? 0;
  }

  /** resolve returns the series of a metric, making it if the project may have another. */
  resolve(project: string, metric: MetricIdentity, nowMs: number): SeriesOutcome {
    const alias = keyOf(project, metric);
    const known = this.aliases.get(alias);
    if (known) {
      known.lastSeenMs = nowMs;
      return { ok: true, series: known.series };
    }
    return this.resolveUnknown(project, metric, alias, nowMs);
  }

  /** find returns the series of a metric that was resolved before in the same words, as seen now; it makes none. */
  find(project: string, identity: MetricIdentity, nowMs: number): Series | null {
    const known = this.aliases.get(keyOf(project, identity));
    if (!known) return null;
    known.lastSeenMs = nowMs;
    return known.series;
  }

  /** touch tells that a series is seen now; false when the registry has forgotten it. */
  touch(series: Series, nowMs: number): boolean {
    const entry = this.entries.get(series.key);
    if (entry?.series !== series) return false;
    entry.lastSeenMs = nowMs;
    return true;
  }

  private resolveUnknown(project: string, metric: MetricIdentity, alias: string, nowMs: number): SeriesOutcome {
    const fault = textFault(metric);
    if (fault) return { ok: false, fault };
    const sorted = Object.entries(metric.tags ?? NO_TAGS).sort(([a], [b]) => (a < b ? -1 : 1));
    const tags = sorted.length === 0 ? NO_TAGS : Object.freeze(Object.fromEntries(sorted));
    const key = keyOf(project, { ...metric, tags });
    let entry = this.entries.get(key);
    if (!entry) {
      if (this.count(project) >= this.options.maxSeries) this.forgetQuiet(nowMs);
      if (this.count(project) >= this.options.maxSeries)
        return { ok: false, fault: limitFault(this.options.maxSeries) };
      const series: Series = Object.freeze({
        key,
        project,
        modelId: metric.model_id,
        modelType: metric.model_type,
        tags,
      });
      entry = this.add(series, nowMs);
    }
    entry.lastSeenMs = nowMs;
    if (this.aliases.size > 4 * this.entries.size + 1000) this.aliases.clear();
    this.aliases.set(alias, entry);
    return { ok: true, series: entry.series };
  }

  private add(series: Series, nowMs: number): Entry {
    const entry: Entry = { series, lastSeenMs: nowMs };
    if (!this.entries.has(series.key)) this.perProject.set(series.project, this.count(series.project) + 1);
    this.entries.set(series.key, entry);
    return entry;
  }

  private forgetQuiet(nowMs: number): void {
    if (nowMs < this.quietFromMs) return;
    this.quietFromMs = nowMs + ACTIVE_MS;
    for (const [key, entry] of this.entries) {
      if (entry.lastSeenMs > nowMs - ACTIVE_MS) {
        this.quietFromMs = Math.min(this.quietFromMs, entry.lastSeenMs + ACTIVE_MS);
        continue;
      }
      this.entries.delete(key);
      this.perProject.set(entry.series.project, this.count(entry.series.project) - 1);
    }
    for (const [alias, entry] of this.aliases) {
      if (!this.entries.has(entry.series.key)) this.aliases.delete(alias);
    }
  }
}

/** Lengths stand before the texts, so that no text can be read as a separator; tags in the order that they have. */
function keyOf(project: string, metric: MetricIdentity): string {
  let key = `${project.length}:${project}${metric.model_id.length}:${metric.model_id}${metric.model_type}`;
  const { tags } = metric;
  for (const name in tags) {
    const value = tags[name] ?? '';
    key += `|${name.length}:${name}${value.length}:${value}`;
  }
  return key;
}

/** textFault finds a name or text in a metric's identity that cannot be stored or shown safely. */
export function textFault(metric: Pick<InferenceMetric, 'model_id' | 'tags'>): ItemFault | null {
  if (isBadText(metric.model_id)) return badText('/model_id');
  for (const [name, value] of Object.entries(metric.tags ?? NO_TAGS)) {
    const fault = nameFault('/tags', name);
    if (fault) return fault;
    if (isBadText(value)) return badText(pointer('/tags', name));
  }
  return null;
}

/** nameFault finds what is wrong with the name of a tag or a custom value. */
export function nameFault(parent: string, name: string): ItemFault | null {
  if (name.length === 0 || name.length > MAX_NAME_LENGTH) {
    return { pointer: pointer(parent, name), code: 'length', message: `a name has 1 to ${MAX_NAME_LENGTH} characters` };
  }
  if (RESERVED.has(name))
    return { pointer: pointer(parent, name), code: 'reserved_name', message: `the name "${name}" is reserved` };
  return isBadText(name) ? badText(parent) : null;
}

/** isBadText tells whether a text holds a control character or half of a surrogate pair. */
export function isBadText(text: string): boolean {
  return !text.isWellFormed() || CONTROL.test(text);
}

function badText(at: string): ItemFault {
  return { pointer: at, code: 'bad_text', message: 'the text holds a control character or half of a surrogate pair' };
}

function limitFault(maxSeries: number): ItemFault {
  const message = `the project has ${maxSeries} active series already; does a tag hold an id or another value that never repeats?`;
  return { pointer: '/tags', code: 'series_limit', message };
}

function pointer(parent: string, name: string): string {
  return pointerTo(parent, name.slice(0, MAX_NAME_LENGTH));
}
