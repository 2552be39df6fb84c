import type { Span } from '../aggregate-plan.js';
import type { Point } from '../point-store.js';
import type { InfluxCatalog } from './influx-catalog.js';
import type { InfluxConnection } from './influx-connection.js';
import { POINTS } from './names.js';
import { columnOf, textOf } from './query-answer.js';
import { readSlices } from './read-slices.js';
import { toPoint, toRows } from './recent-points.js';
import type { Uncounted } from './uncounted.js';

const EVER: Span = { fromMs: -Infinity, toMs: Infinity };

/** WrittenPoint is a point with the writer that numbered it. */
export interface WrittenPoint {
  readonly writer: number;
  readonly point: Point;
}

/** readUncounted reads back the points of receipts that no rollup counts, of all projects, slice by slice. */
export async function* readUncounted(
  { connection, catalog }: { readonly connection: InfluxConnection; readonly catalog: InfluxCatalog },
  uncounted: Uncounted,
): AsyncIterableIterator<readonly WrittenPoint[]> {
  const condition = uncounted.condition();
  if (condition === null) return;
  for (const span of uncounted.spansIn(EVER)) {
    const query = { shelf: 'raw', select: `SELECT * FROM "${POINTS}" WHERE ${condition}`, span } as const;
    for await (const set of readSlices(connection, query)) {
      // One that is not whole yet belongs to a request that nobody was told to be stored: it will be sent again.
      const rows = toRows(set).flatMap(({ item }, i) =>
        item === null ? [] : [{ item, writer: Number(textOf(set.values[i][columnOf(set, 'writer')])) }],
      );
      const found = await catalog.find(rows.map(({ item }) => item.seriesId));
      yield rows
        .map(({ item, writer }) => ({ writer, point: toPoint(item, found) }))
        .filter(({ writer, point }) => uncounted.has(writer, point.seq) && uncounted.wasNamed(writer, point.seq));
    }
  }
}
