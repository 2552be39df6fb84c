import { planAggregate, type Span } from '../aggregate-plan.js';
import { AnswerRoom } from '../answer-room.js';
import { ONE_WINDOW, SUMMARY_METRICS, toAggregate, toSummary, windowsOf, type Windows } from '../aggregate-windows.js';
import type { Aggregate, AggregateQuery, Range, Summary } from '../point-store.js';
import { needsQuantiles } from '../quantile-of.js';
import { ceilTo, HOUR_MS } from '../rollup-id.js';
import type { Retention } from '../store-messages.js';
import { AggregateFill } from './aggregate-fill.js';
import { InfluxGroups } from './influx-groups.js';
import type { InfluxConnection } from './influx-connection.js';
import { readMarks } from './mark.js';
import { readReceipts } from './receipt.js';
import { Uncounted } from './uncounted.js';

/** AggregateContext is what an aggregate is read with. */
export interface AggregateContext {
  readonly connection: InfluxConnection;
  readonly retention: Retention;
  readonly nowMs: number;
}

/** readInfluxAggregate reduces every window of a query to one stat for each metric and group. */
export async function readInfluxAggregate(context: AggregateContext, query: AggregateQuery): Promise<Aggregate> {
  const windows = windowsOf(query);
  const shape = { windows: windows.count, hasQuantiles: needsQuantiles(query.stat), room: AnswerRoom.of(query) };
  const groups = new InfluxGroups(query, shape);
  await fill(context, groups, { range: query, metrics: query.metrics, windows });
  return toAggregate(query, windows, groups.sorted());
}

/** readInfluxSummary reduces a whole range to its six figures. */
export async function readInfluxSummary(context: AggregateContext, range: Range): Promise<Summary> {
  const grouping = { metrics: SUMMARY_METRICS, tags: range.tags };
  const groups = new InfluxGroups(grouping, { windows: 1, hasQuantiles: true, room: new AnswerRoom(1) });
  await fill(context, groups, { range, metrics: SUMMARY_METRICS, windows: ONE_WINDOW });
  return toSummary(groups.sorted()[0]);
}

interface Extent {
  readonly range: Range;
  readonly metrics: readonly string[];
  readonly windows: Windows;
}

/** fill reads the marks first: what is counted after that is read point by point and not from its rollups. */
async function fill(context: AggregateContext, groups: InfluxGroups, extent: Extent): Promise<void> {
  const { connection, retention, nowMs } = context;
  const { range, windows } = extent;
  const fromMs = Math.max(range.sinceMs, nowMs - retention.hourMs);
  if (!(fromMs < range.untilMs)) return;
  const marks = await readMarks(connection);
  const uncounted = new Uncounted(await readReceipts(connection, marks), marks);
  const plan = planAggregate({ fromMs, toMs: range.untilMs }, windows.windowMs, {
    rawSinceMs: ceilTo(nowMs - retention.rawMs, HOUR_MS),
    minuteSinceMs: ceilTo(nowMs - retention.minuteMs, HOUR_MS),
  });
  const filling = new AggregateFill(connection, groups, { ...extent, marks, uncounted });
  for (const span of plan.hours) await filling.addHours(span);
  for (const span of plan.minutes) await filling.addMinutes(span);
  for (const span of [...plan.hours, ...plan.minutes].flatMap((one: Span) => uncounted.spansIn(one))) {
    await filling.addUncounted(span);
  }
  for (const span of plan.raw) await filling.addRaw(span);
}
