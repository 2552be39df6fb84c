import type { Page, Position } from '../point-store.js';

/** Placed is a thing that has its place in the order of pages. */
export interface Placed {
  readonly timestampMs: number;
  readonly seq: number;
}

/** StoredRow is a row of the database. It has no item while InfluxDB is storing it, one field after the other. */
export interface StoredRow<T> {
  readonly timestampMs: number;
  readonly item: T | null;
}

/** PageSource reads rows of a stretch of time. */
export interface PageSource<T> {
  /** newest reads the `limit` newest rows before toMs, by the timestamp in the database. */
  readonly newest: (toMs: number, limit: number) => Promise<readonly StoredRow<T>[]>;
  /** ofMs reads all rows of one ms whose seq is below. */
  readonly ofMs: (ms: number, belowSeq: number) => Promise<readonly StoredRow<T>[]>;
}

/**
 * readNewestPage reads a page in descending (timestampMs, seq) order. The database's own order is by ms and then by the
 * low digits of seq, which start again at a million: a ms that the end of an answer cuts is therefore read whole. Points
 * of several writers may share both: a page never ends between them, and holds more than `limit` if it must.
 */
export async function readNewestPage<T extends Placed>(
  source: PageSource<T>,
  limit: number,
  { toMs, after }: { readonly toMs: number; readonly after?: Position },
): Promise<Page<T>> {
  const items: T[] = [];
  let endMs = toMs;
  if (after && after.timestampMs < toMs) {
    items.push(...sorted(await source.ofMs(after.timestampMs, after.seq)));
    endMs = after.timestampMs;
  }
  for (let isLast = false; !isLast && items.length <= limit;) {
    const wanted = limit + 1 - items.length;
    const rows = await source.newest(endMs, wanted);
    const lastMs = rows.at(-1)?.timestampMs;
    if (lastMs === undefined || rows.length < wanted) {
      items.push(...sorted(rows));
      isLast = true;
    } else {
      items.push(...sorted(rows.filter(({ timestampMs }) => timestampMs > lastMs)));
      items.push(...sorted(await source.ofMs(lastMs, Infinity)));
      endMs = lastMs;
    }
  }
  return cut(items, limit);
}

function cut<T extends Placed>(items: readonly T[], limit: number): Page<T> {
  if (items.length <= limit) return { items, next: null };
  let end = limit;
  while (end > 0 && isSame(items[end - 1], items[end])) end--;
  if (end === 0) for (end = limit; end < items.length && isSame(items[end - 1], items[end]);) end++;
  const { timestampMs, seq } = items[end - 1];
  return { items: items.slice(0, end), next: end < items.length ? { timestampMs, seq } : null };
}

function isSame(a: Placed, b: Placed): boolean {
  return a.timestampMs === b.timestampMs && a.seq === b.seq;
}

function sorted<T extends Placed>(rows: readonly StoredRow<T>[]): T[] {
  const items = rows.flatMap(({ item }) => item ?? []);
  return items.sort((a, b) => b.timestampMs - a.timestampMs || b.seq - a.seq);
}
