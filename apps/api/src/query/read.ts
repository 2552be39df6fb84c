import type { Rings } from '../buffer/rings.js';
import type { Page, Point, PointStore, Position, Range } from '../store/point-store.js';

/** Read answers the newest points of a range, from memory where that is provably whole, else from the store. */
export type Read = (range: Range, limit: number, after?: Position) => Promise<Page<Point>>;

/**
 * createRead binds the ring buffers and the store; without rings (null) the store answers everything, as it must where
 * other processes store points that these rings have never seen.
 */
export function createRead(rings: Rings | null, store: PointStore): Read {
  return async function read(range, limit, after) {
    const { project, modelId, sinceMs, untilMs } = range;
    if (rings && modelId !== undefined && !range.tags) {
      const answer = rings.read(project, modelId, { sinceMs, untilMs, limit, after });
      if (answer.covered) return answer.page;
    }
    return store.recent(range, limit, after);
  };
}
