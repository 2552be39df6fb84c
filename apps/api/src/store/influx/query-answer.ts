import { StoreFault } from '../store-fault.js';

/** Cell is one value of an answer; null where a row has none. */
export type Cell = string | number | boolean | null;

/** ResultSet is one series of an answer: for each column, its place in every row. */
export interface ResultSet {
  /** Which statement of the query it answers. */
  readonly statement: number;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly Cell[])[];
}

/** readAnswer reads the JSON of `/query`. Throws a StoreFault for an error in it, or when it is something else. */
export function readAnswer(text: string): readonly ResultSet[] {
  const sets: ResultSet[] = [];
  const answer = toRecord(parse(text));
  const { results } = answer;
  if ('error' in answer || !Array.isArray(results)) throw refused(answer.error);
  for (const result of results.map(toRecord)) {
    if ('error' in result) throw refused(result.error);
    if (!Array.isArray(result.series)) continue;
    for (const series of result.series.map(toRecord)) sets.push(toResultSet(Number(result.statement_id), series));
  }
  return sets;
}

/** columnOf is the place of a column, or -1. */
export function columnOf(set: ResultSet, name: string): number {
  return set.columns.indexOf(name);
}

/** textOf reads a cell that holds text; '' when it is empty. */
export function textOf(cell: Cell | undefined): string {
  return typeof cell === 'string' ? cell : '';
}

/** numberOf reads a cell that holds a number; null when it is empty. */
export function numberOf(cell: Cell | undefined): number | null {
  return typeof cell === 'number' ? cell : null;
}

function toResultSet(statement: number, series: Record<string, unknown>): ResultSet {
  const { name, tags = {}, columns, values = [] } = series;
  if (typeof name !== 'string' || !Array.isArray(columns) || !Array.isArray(values)) throw refused('no table');
  if (!values.every((row) => Array.isArray(row))) throw refused('a row that is no list');
  // What is in the cells is checked by those who read them.
  return {
    statement,
    name,
    tags: toRecord(tags) as Record<string, string>,
    columns: columns as string[],
    values: values as Cell[][],
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StoreFault('refused', 'InfluxDB answered something else than JSON', { cause });
  }
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function refused(reason: unknown): StoreFault {
  const text = typeof reason === 'string' ? reason : 'an answer without results';
  if (/timeout|interrupted/i.test(text)) return new StoreFault('timeout', `InfluxDB gave up a query: ${text}`);
  return new StoreFault('refused', `InfluxDB refused a query: ${text.slice(0, 300)}`);
}
