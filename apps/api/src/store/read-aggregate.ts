import type { Database } from '@tidemark/sqlite';
import { planAggregate, type AggregatePlan, type Span } from './aggregate-plan.js';
import { groupsOf, type AggregateSlot, type Groups, type ModelSlots } from './aggregate-groups.js';
import { Chunk } from './chunk.js';
import { readBodies, toBody, type ChunkTable } from './chunk-walk.js';
import type { Aggregate, AggregateQuery, Range, Stat, Summary } from './point-store.js';
import { readCutoffs } from './retention-cutoff.js';
import { RollupReader } from './rollup-codec.js';
import { bucketMs, ceilTo, floorTo, HOUR_MS, rollupId, type Resolution } from './rollup-id.js';
import type { SeriesCatalog } from './series-catalog.js';
import type { Tally } from './tally.js';

const QUANTILES: Readonly<Partial<Record<Stat, number>>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 };

/** MAX_WINDOWS bounds what one query can make the reader allocate; callers are expected to stay far below it. */
const MAX_WINDOWS = 1_000_000;

/** readAggregate reduces every window of a query to one stat for each metric and group. */
export function readAggregate(database: Database, catalog: SeriesCatalog, query: AggregateQuery): Aggregate {
  catalog.refresh();
  const { windowMs, stat, metrics } = query;
  const firstMs = floorTo(query.sinceMs, windowMs);
  const count = Math.max(0, Math.ceil((query.untilMs - firstMs) / windowMs));
  if (count > MAX_WINDOWS) throw tooManyWindows(count);
  const groups = groupsOf(catalog.find(query), query, { windows: count, hasQuantiles: stat in QUANTILES });
  const windows: Windows = { firstMs, windowMs, count };
  fill(database, groups, { windows, fromMs: query.sinceMs, toMs: query.untilMs });
  return {
    times: Array.from({ length: count }, (_, i) => firstMs + i * windowMs),
    groups: groups.slots
      .filter((slot) => query.groupBy === undefined || query.groupBy.length === 0 || slot.hasPoints)
      .map((slot) => ({
        group: slot.group,
        // fromEntries defines the property even when its name is __proto__.
        values: Object.fromEntries(metrics.map((name) => [name, slot.valuesOf(name, (tally) => reduce(tally, stat))])),
      })),
  };
}

/** readSummary reduces a whole range, of whatever length, to its six figures. */
export function readSummary(database: Database, catalog: SeriesCatalog, range: Range): Summary {
  catalog.refresh();
  const query = { metrics: ['latency', 'error_rate'] };
  const groups = groupsOf(catalog.find(range), { ...query, tags: range.tags }, { windows: 1, hasQuantiles: true });
  const windows: Windows = { firstMs: -Infinity, windowMs: HOUR_MS, count: 1 };
  fill(database, groups, { windows, fromMs: range.sinceMs, toMs: range.untilMs });
  const value = (metric: string, stat: Stat): number | null =>
    groups.slots[0].valuesOf(metric, (tally) => reduce(tally, stat))[0];
  return {
    totalRequests: value('latency', 'count') ?? 0,
    averageLatency: value('latency', 'mean'),
    errorRate: value('error_rate', 'mean'),
    p95Latency: value('latency', 'p95'),
    p99Latency: value('latency', 'p99'),
  };
}

/** Windows maps times to windows; with firstMs -Infinity everything is in the only one. */
interface Windows {
  readonly firstMs: number;
  readonly windowMs: number;
  readonly count: number;
}

interface Extent extends Span {
  readonly windows: Windows;
}

function fill(database: Database, groups: Groups, extent: Extent): void {
  if (!(extent.fromMs < extent.toMs)) return;
  const cutoffs = readCutoffs(database);
  const fromMs = Math.max(extent.fromMs, cutoffs.hourMs);
  const plan = planAggregate({ fromMs, toMs: extent.toMs }, extent.windows.windowMs, {
    rawSinceMs: ceilTo(cutoffs.rawMs, HOUR_MS),
    minuteSinceMs: ceilTo(cutoffs.minuteMs, HOUR_MS),
  });
  const { windows } = extent;
  for (const slot of groups.slots) {
    for (const span of plan.hours) addRollups(database, slot, { resolution: 'hour', span, windows });
    for (const span of plan.minutes) addRollups(database, slot, { resolution: 'minute', span, windows });
  }
  for (const model of groups.models) {
    addUnfolded(database, { model, plan, span: { fromMs, toMs: extent.toMs }, windows });
    for (const span of plan.raw) addRaw(database, { model, span, windows });
  }
}

interface RollupSelection {
  readonly resolution: Resolution;
  readonly span: Span;
  readonly windows: Windows;
}

function addRollups(database: Database, slot: AggregateSlot, { resolution, span, windows }: RollupSelection): void {
  const select = database.prepare('SELECT id, body FROM rollups WHERE id >= ? AND id < ?');
  for (const owner of slot.owners) {
    const rows = select.all([rollupId(owner, resolution, span.fromMs), rollupId(owner, resolution, span.toMs)]);
    for (const row of rows) {
      slot.addRollup(windowOf(windows, bucketMs(Number(row.id))), new RollupReader(toBody(row)));
    }
  }
}

interface Selection {
  readonly model: ModelSlots;
  readonly span: Span;
  readonly windows: Windows;
}

/** addUnfolded adds the points that no rollup counts yet, but for those that addRaw adds. */
function addUnfolded(database: Database, selection: Selection & { readonly plan: AggregatePlan }): void {
  const { span, windows, plan } = selection;
  const isWanted = (time: number): boolean => isIn(span, time) && !plan.raw.some((raw) => isIn(raw, time));
  for (const { slot, chunk } of chunksOf(database, 'chunks', selection, 'AND c.id > t.folded_chunk')) {
    addPoints(slot, chunk, windows, isWanted);
  }
}

function addRaw(database: Database, selection: Selection): void {
  for (const table of ['chunks', 'blocks'] as const) {
    for (const { slot, chunk } of chunksOf(database, table, selection, '')) {
      addPoints(slot, chunk, selection.windows, (time) => isIn(selection.span, time));
    }
  }
}

interface SlotChunk {
  readonly slot: AggregateSlot;
  readonly chunk: Chunk;
}

/** chunksOf relies on no chunk crossing an hour to bound max_ms from both sides. */
function chunksOf(database: Database, table: ChunkTable, selection: Selection, condition: string): SlotChunk[] {
  const { model, span } = selection;
  const heads = database
    .prepare(
      `SELECT c.id, c.series FROM series_state t CROSS JOIN ${table} c ON c.series = t.series
       WHERE t.model = ? AND c.max_ms >= ? AND c.max_ms < ? AND c.min_ms < ? ${condition}`,
    )
    .all([model.model, span.fromMs, ceilTo(span.toMs, HOUR_MS), span.toMs]);
  const slots = new Map<number, AggregateSlot>();
  for (const head of heads) {
    const slot = model.slotOf(Number(head.series));
    if (slot) slots.set(Number(head.id), slot);
  }
  const chunks: SlotChunk[] = [];
  for (const row of readBodies(database, table, [...slots.keys()])) {
    const slot = slots.get(Number(row.id));
    if (slot) chunks.push({ slot, chunk: Chunk.open(toBody(row)) });
  }
  return chunks;
}

/** addPoints adds the points that are wanted, in runs that share a window. */
function addPoints(slot: AggregateSlot, chunk: Chunk, windows: Windows, isWanted: (time: number) => boolean): void {
  const times = chunk.times();
  for (let from = 0, to = 0; from < times.length; from = Math.max(to, from + 1)) {
    if (!isWanted(times[from])) continue;
    const window = windowOf(windows, times[from]);
    to = from + 1;
    while (to < times.length && isWanted(times[to]) && windowOf(windows, times[to]) === window) to++;
    slot.addPoints(window, chunk, from, to);
  }
}

function windowOf({ firstMs, windowMs, count }: Windows, time: number): number {
  return count === 1 ? 0 : Math.floor((time - firstMs) / windowMs);
}

function isIn({ fromMs, toMs }: Span, time: number): boolean {
  return time >= fromMs && time < toMs;
}

function tooManyWindows(count: number): Error {
  return Object.assign(new RangeError(`the query asks for ${count} windows`), { code: 'TOO_MANY_WINDOWS' });
}

function reduce(tally: Tally, stat: Stat): number | null {
  const { count, sum, min, max } = tally;
  if (count === 0) return null;
  switch (stat) {
    case 'count':
      return count;
    case 'sum':
      return sum;
    case 'mean':
      return sum / count;
    case 'min':
      return min;
    case 'max':
      return max;
    default:
      return tally.quantile(QUANTILES[stat] ?? 0.5);
  }
}
