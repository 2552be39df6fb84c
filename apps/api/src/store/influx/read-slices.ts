import type { Span } from '../aggregate-plan.js';
import { during } from './conditions.js';
import type { InfluxConnection } from './influx-connection.js';
import { columnOf, numberOf, type ResultSet } from './query-answer.js';
import type { Shelf } from './shelf.js';

/** Rows in one answer: what a reader holds in memory at a time. */
const ROWS_A_SLICE = 50_000;

/** SlicedQuery is a query for rows of a span in order of time. */
export interface SlicedQuery {
  readonly shelf: Shelf;
  /** "SELECT … FROM … WHERE …", with all conditions but time; one table of rows. */
  readonly select: string;
  readonly span: Span;
  readonly signal?: AbortSignal;
}

/** readSlices gives the rows of a span in slices of bounded size. A slice ends between two ms, never inside of one. */
export async function* readSlices(
  connection: InfluxConnection,
  { shelf, select, span, signal }: SlicedQuery,
): AsyncIterableIterator<ResultSet> {
  let limit = ROWS_A_SLICE;
  let { fromMs } = span;
  while (fromMs < span.toMs) {
    const text = `${select} AND ${during(fromMs, span.toMs)} ORDER BY time ASC LIMIT ${limit}`;
    const [set] = await connection.query(shelf, text, signal);
    if (!set) return;
    if (set.values.length < limit) {
      yield set;
      return;
    }
    const time = columnOf(set, 'time');
    const lastMs = numberOf(set.values[set.values.length - 1][time]) ?? 0;
    const end = set.values.findIndex((row) => row[time] === lastMs);
    if (end === 0) {
      limit *= 2;
      continue;
    }
    yield { ...set, values: set.values.slice(0, end) };
    fromMs = lastMs;
  }
}
