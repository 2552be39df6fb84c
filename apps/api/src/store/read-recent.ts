import type { Database } from '@tidemark/sqlite';
import { BlockWalk } from './block-walk.js';
import type { Chunk } from './chunk.js';
import { METRICS } from './chunk-layout.js';
import type { Commit } from './commit.js';
import type { LiveCommits } from './live-commits.js';
import { eachLivePoint, OwnerFilter } from './live-points.js';
import { NewestHeap } from './newest-heap.js';
import { readCutoffs } from './retention-cutoff.js';
import type { SeriesCatalog, StoredModel, StoredSeries } from './series-catalog.js';
import type { PointColumns, RecentMessage } from './store-messages.js';

/** RecentSources is where points can be. */
export interface RecentSources {
  readonly database: Database;
  readonly catalog: SeriesCatalog;
  readonly live: LiveCommits;
}

/** readRecent finds the newest points of a range, newest first, decoding no block that cannot hold one of them. */
export function readRecent(sources: RecentSources, { range, limit, after }: RecentMessage): PointColumns {
  const { database, catalog, live } = sources;
  const models = catalog.find(range);
  const search = new Search(limit, after);
  const fromMs = Math.max(range.sinceMs, readCutoffs(database).rawMs);
  // `after` bounds the page from above: a block that begins later than it holds nothing of the page.
  const toMs = after ? Math.min(range.untilMs, after.timestampMs + 1) : range.untilMs;
  if (!live.isEmpty) {
    const filter = liveFilter(database, models);
    eachLivePoint(live, filter, { fromMs, toMs }, (series, commit, row) => search.offerLive(series, commit, row));
  }
  const walks = openWalks(database, models, { fromMs, toMs });
  for (let walk = newest(walks); walk && !(search.floorMs > walk.maxMs); walk = newest(walks)) {
    search.offerBlock(walk.series, walk.take(), fromMs, range.untilMs);
  }
  return search.collect();
}

/** Search keeps the newest points offered to it, and where each comes from. */
class Search {
  private readonly heap: NewestHeap;
  private readonly chunks: Chunk[] = [];
  /** For each chunk, its one series, or the series of each of its points. */
  private readonly owners: (StoredSeries | Map<number, StoredSeries>)[] = [];

  constructor(
    private readonly limit: number,
    private readonly after: RecentMessage['after'],
  ) {
    this.heap = new NewestHeap(limit + 1);
  }

  get floorMs(): number {
    return this.heap.floorMs;
  }

  offerLive(series: StoredSeries, { chunk }: Commit, row: number): void {
    if (this.chunks.at(-1) !== chunk) this.addChunk(chunk, new Map());
    const owners = this.owners[this.owners.length - 1];
    if (owners instanceof Map) owners.set(row, series);
    this.offer(chunk.times()[row], chunk.seqs()[row], row);
  }

  offerBlock(series: StoredSeries, chunk: Chunk, fromMs: number, toMs: number): void {
    this.addChunk(chunk, series);
    const times = chunk.times();
    const seqs = chunk.seqs();
    for (let row = 0; row < times.length; row++) {
      const time = times[row];
      if (time >= fromMs && time < toMs && time >= this.heap.floorMs) this.offer(time, seqs[row], row);
    }
  }

  collect(): PointColumns {
    const hasMore = this.heap.size > this.limit;
    const count = Math.min(this.heap.size, this.limit);
    const places = new Map<StoredSeries, number>();
    const names = new Map<string, number>();
    const customs: { readonly row: number; readonly place: number; readonly value: number }[] = [];
    const ids: string[] = [];
    const columns = {
      owners: new Uint32Array(count),
      times: new Float64Array(count),
      seqs: new Float64Array(count),
      builtIn: METRICS.map(() => new Float64Array(count)),
      requestIdLengths: new Uint32Array(count),
    };
    this.heap.drain((source, row) => {
      const at = ids.length;
      if (at === count) return;
      const chunk = this.chunks[source];
      columns.owners[at] = placeOf(places, this.ownerOf(source, row));
      columns.times[at] = chunk.times()[row];
      columns.seqs[at] = chunk.seqs()[row];
      columns.builtIn.forEach((column, metric) => (column[at] = chunk.builtIn(metric)?.[row] ?? NaN));
      for (const { name, value } of chunk.customsAt(row)) customs.push({ row: at, place: placeOf(names, name), value });
      const requestId = chunk.requestId(row);
      columns.requestIdLengths[at] = requestId.length;
      ids.push(requestId);
    });
    return {
      ...columns,
      series: [...places.keys()].map(({ key, project, modelId, modelType, tags }) => {
        return { key, project, modelId, modelType, tags };
      }),
      customNames: [...names.keys()],
      customValues: Float64Array.from(customs, ({ value }) => value),
      customRows: Uint32Array.from(customs, ({ row }) => row),
      customPlaces: Uint32Array.from(customs, ({ place }) => place),
      requestIds: ids.join(''),
      hasMore,
    };
  }

  private addChunk(chunk: Chunk, owners: StoredSeries | Map<number, StoredSeries>): void {
    this.chunks.push(chunk);
    this.owners.push(owners);
  }

  private offer(time: number, seq: number, row: number): void {
    const { after } = this;
    if (after && (time > after.timestampMs || (time === after.timestampMs && seq >= after.seq))) return;
    this.heap.offer(time, seq, this.chunks.length - 1, row);
  }

  private ownerOf(source: number, row: number): StoredSeries {
    const owners = this.owners[source];
    const owner = owners instanceof Map ? owners.get(row) : owners;
    if (!owner) throw new Error('a point without its series');
    return owner;
  }
}

function liveFilter(database: Database, models: readonly StoredModel[]): OwnerFilter<StoredSeries> {
  const filter = new OwnerFilter<StoredSeries>(database);
  for (const model of models) {
    const byId = new Map(model.series.map((series) => [series.id, series]));
    filter.addModel(model.id, (series) => byId.get(series));
  }
  return filter;
}

function openWalks(
  database: Database,
  models: readonly StoredModel[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): BlockWalk[] {
  return models
    .flatMap((model) => model.series.map((series) => new BlockWalk(series, database, fromMs, toMs)))
    .filter((walk) => walk.maxMs > -Infinity);
}

function newest(walks: readonly BlockWalk[]): BlockWalk | null {
  let best: BlockWalk | null = null;
  for (const walk of walks) if (walk.maxMs > (best?.maxMs ?? -Infinity)) best = walk;
  return best;
}

function placeOf<K>(places: Map<K, number>, key: K): number {
  const place = places.get(key) ?? places.size;
  places.set(key, place);
  return place;
}
