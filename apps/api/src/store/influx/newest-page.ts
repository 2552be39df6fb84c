import type { Page, Position } from '../point-store.js';
import { lapStart } from './lap.js';
import { inOrder, type PageSource, type Placed } from './page-source.js';
import { readLap, readMs } from './read-ms.js';

/**
 * readNewestPage reads a page in descending (timestampMs, seq) order. The database's own order is by ms and then by the
 * low digits of seq, which start again with each lap: whole ms are put in order here, and a ms that the end of an answer
 * cuts is read by itself, if the page needs any of it. However many points share a ms, a query asks for hardly more rows
 * than the page has. Points of several writers may share both: a page never ends between them, and holds more than
 * `limit` if it must.
 */
export async function readNewestPage<T extends Placed>(
  source: PageSource<T>,
  limit: number,
  { toMs, after }: { readonly toMs: number; readonly after?: Position },
): Promise<Page<T>> {
  const items: T[] = [];
  let endMs = toMs;
  let left: Position = { timestampMs: NaN, seq: Infinity };
  if (after && after.timestampMs < toMs) {
    const ms = after.timestampMs;
    const seqs = { from: lapStart(after.seq - 1), below: after.seq };
    items.push(...(await readLap(source, { ms, seqs, wanted: limit + 1 })));
    // Lower laps of its ms are rare, and come with what is before it: no query of their own need find that there are none.
    left = { timestampMs: ms, seq: seqs.from };
    endMs = ms + 1;
  }
  const belowOf = (ms: number): number => (ms === left.timestampMs ? left.seq : Infinity);
  // One more tells that there is another page. Some to spare, as what a cursor's ms has before it comes again, and as a ms
  // of few points that an answer cuts is then beyond the page.
  const spare = 10 + Math.ceil(limit / 20);
  const most = limit + 1 + spare;
  let isAll = false;
  while (items.length <= limit && !isAll) {
    const wanted = limit + 1 - items.length;
    const asked = endMs > left.timestampMs ? most : wanted + spare;
    const rows = await source.newest(endMs, asked);
    const open = rows.filter(({ timestampMs, seq }) => seq !== null && seq < belowOf(timestampMs));
    isAll = rows.length < asked;
    const lastMs = isAll ? -Infinity : (rows.at(-1)?.timestampMs ?? -Infinity);
    items.push(...inOrder(open.filter(({ timestampMs }) => timestampMs > lastMs)));
    if (isAll || items.length > limit) break;
    const begun = inOrder(open.filter(({ timestampMs }) => timestampMs === lastMs));
    if (items.length === limit && begun.length > 0) {
      // Which point is the first of the next page does not matter to this one.
      items.push(begun[0]);
      break;
    }
    const isLarge = rows.length === most && rows[0].timestampMs === lastMs;
    const ms = { ms: lastMs, below: belowOf(lastMs), wanted: limit + 1 - items.length };
    items.push(...(await readMs(source, { ...ms, most, isLarge })));
    endMs = lastMs;
  }
  return cutPage(items, limit, isAll);
}

/**
 * cutPage ends a page after `limit` items, but not between items that share ms and seq. Where all items are one such group and
 * isAll does not say that there is nothing else, another page is announced, which may be empty.
 */
export function cutPage<T extends Placed>(items: readonly T[], limit: number, isAll: boolean): Page<T> {
  if (items.length <= limit) return { items, next: null };
  let end = limit;
  while (end > 0 && isSame(items[end - 1], items[end])) end--;
  if (end === 0) for (end = limit; end < items.length && isSame(items[end - 1], items[end]);) end++;
  const { timestampMs, seq } = items[end - 1];
  return { items: items.slice(0, end), next: isAll && end === items.length ? null : { timestampMs, seq } };
}

function isSame(a: Placed, b: Placed): boolean {
  return a.timestampMs === b.timestampMs && a.seq === b.seq;
}
