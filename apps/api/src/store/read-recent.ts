import type { Database } from '@tidemark/sqlite';
import { Chunk } from './chunk.js';
import { METRICS } from './chunk-layout.js';
import { ChunkWalk } from './chunk-walk.js';
import { NewestHeap } from './newest-heap.js';
import { readCutoffs } from './retention-cutoff.js';
import type { SeriesCatalog, StoredSeries } from './series-catalog.js';
import type { PointColumns, RecentMessage } from './store-messages.js';

/** readRecent finds the newest points of a range, newest first, decoding no chunk that cannot hold one of them. */
export function readRecent(database: Database, catalog: SeriesCatalog, message: RecentMessage): PointColumns {
  catalog.refresh();
  const { range, limit, after } = message;
  const sinceMs = Math.max(range.sinceMs, readCutoffs(database).rawMs);
  const heap = new NewestHeap(limit + 1);
  const chunks: { readonly chunk: Chunk; readonly series: StoredSeries }[] = [];
  const walks = openWalks(database, catalog, message, sinceMs);
  for (let walk = newest(walks); walk && !(heap.floorMs > walk.maxMs); walk = newest(walks)) {
    const chunk = Chunk.open(walk.take());
    const times = chunk.times();
    const seqs = chunk.seqs();
    for (let i = 0; i < times.length; i++) {
      const time = times[i];
      if (time < sinceMs || time >= range.untilMs || time < heap.floorMs) continue;
      if (after && (time > after.timestampMs || (time === after.timestampMs && seqs[i] >= after.seq))) continue;
      heap.offer(time, seqs[i], chunks.length, i);
    }
    chunks.push({ chunk, series: walk.series });
  }
  return collect(heap, chunks, limit);
}

function openWalks(
  database: Database,
  catalog: SeriesCatalog,
  { range, after }: RecentMessage,
  sinceMs: number,
): ChunkWalk[] {
  // `after` bounds the page from above: a chunk that begins later than it holds nothing of the page.
  const beforeMs = after ? Math.min(range.untilMs, after.timestampMs + 1) : range.untilMs;
  const walks: ChunkWalk[] = [];
  for (const model of catalog.find(range)) {
    for (const series of model.series) {
      for (const table of ['chunks', 'blocks'] as const) {
        const walk = new ChunkWalk(series, database, table, sinceMs, beforeMs);
        if (walk.maxMs > -Infinity) walks.push(walk);
      }
    }
  }
  return walks;
}

function newest(walks: readonly ChunkWalk[]): ChunkWalk | null {
  let best: ChunkWalk | null = null;
  for (const walk of walks) if (walk.maxMs > (best?.maxMs ?? -Infinity)) best = walk;
  return best;
}

function collect(
  heap: NewestHeap,
  chunks: readonly { readonly chunk: Chunk; readonly series: StoredSeries }[],
  limit: number,
): PointColumns {
  const hasMore = heap.size > limit;
  const count = Math.min(heap.size, limit);
  const places = new Map<StoredSeries, number>();
  const customs = new Map<string, Float64Array>();
  const ids: string[] = [];
  const columns = {
    owners: new Uint32Array(count),
    times: new Float64Array(count),
    seqs: new Float64Array(count),
    builtIn: METRICS.map(() => new Float64Array(count).fill(NaN)),
    requestIdLengths: new Uint32Array(count),
  };
  let at = 0;
  heap.drain((source, row) => {
    if (at === count) return;
    const { chunk, series } = chunks[source];
    const place = places.get(series) ?? places.size;
    places.set(series, place);
    columns.owners[at] = place;
    columns.times[at] = chunk.times()[row];
    columns.seqs[at] = chunk.seqs()[row];
    columns.builtIn.forEach((column, metric) => (column[at] = chunk.builtIn(metric)?.[row] ?? NaN));
    for (const name of chunk.names()) {
      const values = customs.get(name) ?? new Float64Array(count).fill(NaN);
      customs.set(name, values);
      values[at] = chunk.custom(name)?.[row] ?? NaN;
    }
    const requestId = chunk.requestId(row);
    columns.requestIdLengths[at] = requestId.length;
    ids.push(requestId);
    at++;
  });
  return {
    ...columns,
    series: [...places.keys()].map(({ key, project, modelId, modelType, tags }) => {
      return { key, project, modelId, modelType, tags };
    }),
    customs: [...customs].map(([name, values]) => ({ name, values })),
    requestIds: ids.join(''),
    hasMore,
  };
}
