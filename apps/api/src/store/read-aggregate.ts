import type { Database } from '@tidemark/sqlite';
import { planAggregate, type Span } from './aggregate-plan.js';
import { groupsOf, type AggregateSlot, type Groups, type ModelSlots } from './aggregate-groups.js';
import { AnswerRoom } from './answer-room.js';
import { readBlocks, toBody } from './blocks.js';
import type { Chunk } from './chunk.js';
import type { LiveCommits } from './live-commits.js';
import { eachLivePoint, OwnerFilter } from './live-points.js';
import {
  ONE_WINDOW,
  SUMMARY_METRICS,
  toAggregate,
  toSummary,
  windowOf,
  windowsOf,
  type Windows,
} from './aggregate-windows.js';
import type { Aggregate, AggregateQuery, Range, Summary } from './point-store.js';
import { readCutoffs } from './retention-cutoff.js';
import { RollupReader } from './rollup-codec.js';
import { needsQuantiles } from './quantile-of.js';
import { bucketMs, ceilTo, HOUR_MS, rollupId, type Resolution } from './rollup-id.js';
import type { SeriesCatalog } from './series-catalog.js';

/** AggregateSources is where points and sums of them can be. */
export interface AggregateSources {
  readonly database: Database;
  readonly catalog: SeriesCatalog;
  readonly live: LiveCommits;
}

/** readAggregate reduces every window of a query to one stat for each metric and group. */
export function readAggregate(sources: AggregateSources, query: AggregateQuery): Aggregate {
  const windows = windowsOf(query);
  const shape = { windows: windows.count, hasQuantiles: needsQuantiles(query.stat), room: AnswerRoom.of(query) };
  const groups = groupsOf(sources.catalog.find(query), query, shape);
  fill(sources, groups, { windows, fromMs: query.sinceMs, toMs: query.untilMs });
  return toAggregate(query, windows, groups.slots);
}

/** readSummary reduces a whole range, of whatever length, to its six figures. */
export function readSummary(sources: AggregateSources, range: Range): Summary {
  const query = { metrics: SUMMARY_METRICS, tags: range.tags };
  const shape = { windows: 1, hasQuantiles: true, room: new AnswerRoom(1) };
  const groups = groupsOf(sources.catalog.find(range), query, shape);
  fill(sources, groups, { windows: ONE_WINDOW, fromMs: range.sinceMs, toMs: range.untilMs });
  return toSummary(groups.slots[0]);
}

interface Extent extends Span {
  readonly windows: Windows;
}

function fill({ database, live }: AggregateSources, groups: Groups, extent: Extent): void {
  if (!(extent.fromMs < extent.toMs)) return;
  const { windows, toMs } = extent;
  const cutoffs = readCutoffs(database);
  const fromMs = Math.max(extent.fromMs, cutoffs.hourMs);
  const plan = planAggregate({ fromMs, toMs }, windows.windowMs, {
    rawSinceMs: ceilTo(cutoffs.rawMs, HOUR_MS),
    minuteSinceMs: ceilTo(cutoffs.minuteMs, HOUR_MS),
  });
  for (const slot of groups.slots) {
    for (const span of plan.hours) addRollups(database, slot, { resolution: 'hour', span, windows });
    for (const span of plan.minutes) addRollups(database, slot, { resolution: 'minute', span, windows });
  }
  for (const model of groups.models) {
    for (const span of plan.raw) addBlocks(database, model, { span, windows });
  }
  if (!live.isEmpty) addLive({ database, live }, groups, { fromMs, toMs, windows });
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

interface BlockSelection {
  readonly span: Span;
  readonly windows: Windows;
}

/** addBlocks relies on no block crossing an hour to bound max_ms from both sides. */
function addBlocks(database: Database, { model, slotOf }: ModelSlots, { span, windows }: BlockSelection): void {
  const heads = database
    .prepare(
      `SELECT b.id, b.series FROM series_state t CROSS JOIN blocks b ON b.series = t.series
       WHERE t.model = ? AND b.max_ms >= ? AND b.max_ms < ? AND b.min_ms < ?`,
    )
    .all([model, span.fromMs, ceilTo(span.toMs, HOUR_MS), span.toMs]);
  const slots = new Map<number, AggregateSlot>();
  for (const head of heads) {
    const slot = slotOf(Number(head.series));
    if (slot) slots.set(Number(head.id), slot);
  }
  for (const { id, chunk } of readBlocks(database, [...slots.keys()])) {
    const slot = slots.get(id);
    if (slot) addBlock(slot, chunk, { span, windows });
  }
}

/** addBlock adds the points of the span, in runs that share a window; a block is sorted by time. */
function addBlock(slot: AggregateSlot, chunk: Chunk, { span, windows }: BlockSelection): void {
  const times = chunk.times();
  let from = 0;
  while (from < times.length && times[from] < span.fromMs) from++;
  for (let to = from; from < times.length && times[from] < span.toMs; from = to) {
    const window = windowOf(windows, times[from]);
    while (to < times.length && times[to] < span.toMs && windowOf(windows, times[to]) === window) to++;
    slot.addPoints(window, slot.columnsOf(chunk), { from, to });
  }
}

/** addLive adds the points that are only in commits: they are in no rollup and no block. */
function addLive({ database, live }: Omit<AggregateSources, 'catalog'>, groups: Groups, extent: Extent): void {
  const filter = new OwnerFilter<AggregateSlot>(database);
  for (const { model, slotOf } of groups.models) filter.addModel(model, slotOf);
  let columns = new Map<AggregateSlot, readonly (Float64Array | null)[]>();
  let last: Chunk | null = null;
  eachLivePoint(live, filter, extent, (slot, { chunk }, row) => {
    if (chunk !== last) columns = new Map();
    last = chunk;
    const ofSlot = columns.get(slot) ?? slot.columnsOf(chunk);
    columns.set(slot, ofSlot);
    slot.addPoints(windowOf(extent.windows, chunk.times()[row]), ofSlot, { from: row, to: row + 1 });
  });
}
