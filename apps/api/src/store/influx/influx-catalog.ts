import { floorTo, HOUR_MS } from '../rollup-id.js';
import type { ModelType } from '@tidemark/types';
import type { Series } from '../point-store.js';
import { during, ofOwner } from './conditions.js';
import { seriesId } from './encode-batch.js';
import type { InfluxConnection } from './influx-connection.js';
import { METRIC_NAMES, SERIES } from './names.js';
import { columnOf, numberOf, type ResultSet, textOf } from './query-answer.js';
import { unescapeTagValue, unescapeText } from './text-escape.js';
import { StoreFault } from '../store-fault.js';
import type { Shelf } from './shelf.js';

/** Series of one look-up: a statement names each of them. */
const IDS_A_QUERY = 500;
/** Past it the memory of series begins anew. */
const MAX_KNOWN = 100_000;
const LATEST = `SELECT "key", "model_type", "tags", "model", "project" FROM "${SERIES}" WHERE`;

/** InfluxCatalog finds series by the id in their tags, and remembers them. */
export class InfluxCatalog {
  constructor(
    private readonly connection: InfluxConnection,
    private readonly known = new Map<string, Series>(),
  ) {}

  /** over is the same memory, which asks for what it lacks over another connection. */
  over(connection: InfluxConnection): InfluxCatalog {
    return new InfluxCatalog(connection, this.known);
  }

  /** find answers the series of these ids. Rejects with a StoreFault, also when one was never announced. */
  async find(ids: Iterable<string>, signal?: AbortSignal): Promise<ReadonlyMap<string, Series>> {
    const found = new Map<string, Series>();
    const missing: string[] = [];
    for (const id of new Set(ids)) {
      const series = this.known.get(id);
      if (series) found.set(id, series);
      else missing.push(id);
    }
    for (let i = 0; i < missing.length; i += IDS_A_QUERY) {
      const some = missing.slice(i, i + IDS_A_QUERY);
      // The ids are our own hashes: nothing in them needs a quote.
      const condition = some.map((id) => `"series" = '${id}'`).join(' OR ');
      for (const series of await this.read(`(${condition})`, signal)) found.set(seriesId(series), series);
      for (const id of some) if (!found.has(id)) throw new StoreFault('refused', `InfluxDB holds no series ${id}`);
    }
    return found;
  }

  /** active lists the series announced since then, or up to an hour before. */
  active(sinceMs: number, signal?: AbortSignal): Promise<readonly Series[]> {
    return this.read(during(floorTo(sinceMs - HOUR_MS, 1) + 1, Infinity), signal);
  }

  /** count is how many series have raw points. */
  async count(signal?: AbortSignal): Promise<number> {
    const each = `SELECT first("model_type") AS "one" FROM "${SERIES}" GROUP BY "series"`;
    const [set] = await this.connection.query('raw', `SELECT count("one") FROM (${each})`, signal);
    return set ? (numberOf(set.values[0]?.[columnOf(set, 'count')]) ?? 0) : 0;
  }

  /**
   * names lists the custom metrics of a project or of a model of it, sorted. It selects one row for each name: what tags
   * there are 2.x shows of the default retention policy only, which none of ours is.
   */
  async names(project: string, modelId?: string): Promise<readonly string[]> {
    const owner = ofOwner({ project, modelId });
    const text = `SELECT "seen" FROM "${METRIC_NAMES}" WHERE ${owner} GROUP BY "name" LIMIT 1`;
    const names = new Set<string>();
    for (const shelf of ['raw', 'meta'] satisfies Shelf[]) {
      for (const { tags } of await this.connection.query(shelf, text)) names.add(unescapeTagValue(tags.name));
    }
    return [...names].sort();
  }

  private async read(condition: string, signal?: AbortSignal): Promise<Series[]> {
    const sets = await this.connection.query(
      'raw',
      `${LATEST} ${condition} GROUP BY "series" ORDER BY time DESC LIMIT 1`,
      signal,
    );
    const series = sets.flatMap((set) => set.values.map((_, row) => toSeries(set, row)));
    if (this.known.size + series.length > MAX_KNOWN) this.known.clear();
    for (const one of series) this.known.set(seriesId(one), one);
    return series;
  }
}

function toSeries(set: ResultSet, row: number): Series {
  const text = (column: string): string => textOf(set.values[row][columnOf(set, column)]);
  return {
    key: unescapeText(text('key')),
    project: unescapeTagValue(text('project')),
    modelId: unescapeTagValue(text('model')),
    modelType: toModelType(text('model_type')),
    tags: parseTags(text('tags')),
  };
}

/** parseTags reads a field of tags. */
export function parseTags(stored: string): Readonly<Record<string, string>> {
  const tags: unknown = JSON.parse(unescapeText(stored));
  if (typeof tags !== 'object' || tags === null) throw new StoreFault('refused', 'a row of InfluxDB holds no tags');
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, String(value)]));
}

function toModelType(stored: string): ModelType {
  if (stored === 'llm' || stored === 'cv' || stored === 'tabular') return stored;
  throw new StoreFault('refused', 'a row of InfluxDB holds an unknown type of model');
}
