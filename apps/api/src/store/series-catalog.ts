import type { Database, SqlRow, SqlValue } from '@tidemark/sqlite';
import type { ModelType } from '@tidemark/types';
import type { Series } from './point-store.js';
import { fromSqlText, plainText, toSqlText } from './sql-text.js';

/** StoredSeries is a series with the ids it has in the file. */
export interface StoredSeries extends Series {
  readonly id: number;
  readonly model: number;
}

/** SeriesSelection is which series a query is about. */
export interface SeriesSelection {
  readonly project: string;
  readonly modelId?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** StoredModel is a model with all of its series. */
export interface StoredModel {
  readonly id: number;
  readonly modelId: string;
  readonly series: StoredSeries[];
}

/**
 * SeriesCatalog keeps the identities of all series in the reader's memory: rows are only ever added under rising ids,
 * so it reads what is new, and starts over when a row it knows was deleted. Call `refresh` inside the query's transaction.
 */
export class SeriesCatalog {
  private readonly models = new Map<string, Map<string, StoredModel>>();
  private lastId = 0;
  private count = 0;

  constructor(private readonly database: Database) {}

  refresh(): void {
    const row = this.database.prepare('SELECT count(*) AS n, max(id) AS last FROM series').get([]);
    if (this.count === Number(row?.n) && this.lastId === Number(row?.last ?? 0)) return;
    this.readAfter();
    if (this.count === Number(row?.n)) return;
    this.models.clear();
    this.lastId = 0;
    this.count = 0;
    this.readAfter();
  }

  /** find returns the models of a selection that have a matching series, each with its matching series only. */
  find(selection: SeriesSelection): readonly StoredModel[] {
    const models = this.models.get(selection.project);
    if (!models) return [];
    const candidates = selection.modelId === undefined ? [...models.values()] : [models.get(selection.modelId)];
    const wanted = Object.entries(selection.tags ?? {});
    const found: StoredModel[] = [];
    for (const model of candidates) {
      if (!model) continue;
      if (wanted.length === 0) {
        found.push(model);
        continue;
      }
      const series = model.series.filter(({ tags }) =>
        wanted.every(([name, value]) => Object.hasOwn(tags, name) && tags[name] === value),
      );
      if (series.length > 0) found.push({ ...model, series });
    }
    return found;
  }

  private readAfter(): void {
    const rows = this.database
      .prepare(
        `SELECT s.id, s.key, s.model, s.model_type, s.tags, m.project, m.model_id
         FROM series s JOIN models m ON m.id = s.model WHERE s.id > ? ORDER BY s.id`,
      )
      .all([this.lastId]);
    for (const row of rows) {
      const series = toSeries(row);
      const models = this.models.get(series.project) ?? new Map<string, StoredModel>();
      this.models.set(series.project, models);
      const model = models.get(series.modelId) ?? { id: series.model, modelId: series.modelId, series: [] };
      models.set(series.modelId, model);
      model.series.push(series);
      this.lastId = series.id;
      this.count++;
    }
  }
}

/** toTags reads a column of tags. */
export function toTags(stored: SqlValue): Readonly<Record<string, string>> {
  return JSON.parse(plainText(stored)) as Record<string, string>;
}

/** modelKey is the pair of texts by which the tables know a model. */
export function modelKey(project: string, modelId: string): readonly [string, string] {
  return [toSqlText(project), toSqlText(modelId)];
}

/** toSeries reads a row of series joined with its model. */
export function toSeries(row: SqlRow): StoredSeries {
  return {
    id: Number(row.id),
    model: Number(row.model),
    key: fromSqlText(row.key),
    project: fromSqlText(row.project),
    modelId: fromSqlText(row.model_id),
    modelType: toModelType(row.model_type),
    tags: toTags(row.tags),
  };
}

function toModelType(stored: SqlValue): ModelType {
  if (stored === 'llm' || stored === 'cv' || stored === 'tabular') return stored;
  throw new TypeError('a series row holds an unknown type of model');
}
