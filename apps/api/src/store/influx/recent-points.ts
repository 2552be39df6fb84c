import type { Page, Point, Position, Range, Series } from '../point-store.js';
import { ofOwner, withTags } from './conditions.js';
import type { InfluxCatalog } from './influx-catalog.js';
import type { InfluxConnection } from './influx-connection.js';
import { quoteName } from './influx-ql.js';
import { POINTS, VALUE_PREFIX } from './names.js';
import { readNewestPage } from './newest-page.js';
import { pageQueries } from './page-queries.js';
import type { StoredRow } from './page-source.js';
import { columnOf, numberOf, type ResultSet, textOf } from './query-answer.js';
import { escapeText, unescapeText } from './text-escape.js';

const BUILT_IN = ['latency', 'throughput', 'error_rate', 'gpu_memory', 'cpu_usage', 'memory_usage'];

/** RecentQuery is a page of points. */
export interface RecentQuery {
  readonly range: Range;
  readonly limit: number;
  readonly after?: Position;
}

/** PointRow is a point whose series is only known by its id. */
export interface PointRow extends Omit<Point, 'series'> {
  readonly seriesId: string;
}

/** readRecentPoints reads the newest points of a range. */
export async function readRecentPoints(
  { connection, catalog }: { readonly connection: InfluxConnection; readonly catalog: InfluxCatalog },
  { range, limit, after }: RecentQuery,
): Promise<Page<Point>> {
  const names = await catalog.names(range.project, range.modelId);
  const columns = [...BUILT_IN, 'request_id', 'seq', ...names.map((name) => escapeText(VALUE_PREFIX + name))];
  const rows = {
    columns: `${columns.map(quoteName).join(', ')}, "series", "writer"`,
    measurement: POINTS,
    condition: ofOwner(range) + withTags(range.tags),
    sinceMs: range.sinceMs,
  };
  const page = await readNewestPage(pageQueries(connection, rows, toRows), limit, { toMs: range.untilMs, after });
  const series = await catalog.find(page.items.map(({ seriesId }) => seriesId));
  return { items: page.items.map((row) => toPoint(row, series)), next: page.next };
}

/** toPoint gives a row its series. */
export function toPoint({ seriesId, ...rest }: PointRow, found: ReadonlyMap<string, Series>): Point {
  const series = found.get(seriesId);
  if (!series) throw new Error(`series ${seriesId} was not found`);
  return { series, ...rest };
}

/**
 * toRows reads points from rows; what columns of custom values there are the answer tells. Of a point that is just being
 * stored, what each point has tells that it is not whole; what it may lack does not.
 */
export function toRows(set: ResultSet): StoredRow<PointRow>[] {
  const place = (name: string): number => columnOf(set, name);
  const [time, id, seq, series] = ['time', 'request_id', 'seq', 'series'].map(place);
  const [latency, throughput, errorRate, gpuMemory, cpuUsage, memoryUsage] = BUILT_IN.map(place);
  const customs = set.columns.flatMap((column, at): [string, number][] =>
    column.startsWith(VALUE_PREFIX) ? [[unescapeText(column.slice(VALUE_PREFIX.length)), at]] : [],
  );
  return set.values.map((row) => {
    const values = customs.flatMap(([name, at]): [string, number][] => {
      const value = numberOf(row[at]);
      return value === null ? [] : [[name, value]];
    });
    const timestampMs = numberOf(row[time]) ?? 0;
    const [ownSeq, ownLatency, ownId] = [numberOf(row[seq]), numberOf(row[latency]), row[id]];
    if (ownSeq === null || ownLatency === null || typeof ownId !== 'string') {
      return { timestampMs, seq: ownSeq, item: null };
    }
    const item = {
      seriesId: textOf(row[series]),
      seq: ownSeq,
      timestampMs,
      requestId: unescapeText(ownId),
      latency: ownLatency,
      throughput: numberOf(row[throughput]),
      errorRate: numberOf(row[errorRate]),
      gpuMemory: numberOf(row[gpuMemory]),
      cpuUsage: numberOf(row[cpuUsage]),
      memoryUsage: numberOf(row[memoryUsage]),
      // fromEntries defines the property even when its name is __proto__.
      values: values.length === 0 ? null : Object.fromEntries(values),
    };
    return { timestampMs, seq: ownSeq, item };
  });
}
