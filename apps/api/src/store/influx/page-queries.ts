import { during, ofSeqs } from './conditions.js';
import type { InfluxConnection } from './influx-connection.js';
import type { PageSource, StoredRow } from './page-source.js';
import { columnOf, numberOf, type ResultSet } from './query-answer.js';

/** PageRows says which rows pages are made of, in words of InfluxQL. */
export interface PageRows {
  readonly columns: string;
  readonly measurement: string;
  readonly condition: string;
  readonly sinceMs: number;
}

/** pageQueries reads the rows of pages from InfluxDB. */
export function pageQueries<T>(
  connection: InfluxConnection,
  { columns, measurement, condition, sinceMs }: PageRows,
  toRows: (set: ResultSet) => readonly StoredRow<T>[],
): PageSource<T> {
  const from = `FROM "${measurement}" WHERE ${condition}`;
  const newestFirst = async (time: string, limit: number): Promise<readonly StoredRow<T>[]> => {
    const sets = await connection.query(
      'raw',
      `SELECT ${columns} ${from} AND ${time} ORDER BY time DESC LIMIT ${limit}`,
    );
    return sets.flatMap(toRows);
  };
  return {
    newest: async (toMs, limit) => (toMs <= sinceMs ? [] : newestFirst(during(sinceMs, toMs), limit)),
    ofMs: async (ms, seqs, limit) => (ms < sinceMs ? [] : newestFirst(ofSeqs(ms, seqs), limit)),
    highestSeq: async (ms, below) => {
      const time = ofSeqs(ms, { from: -Infinity, below });
      const [set] = await connection.query('raw', `SELECT max("seq") AS "highest" ${from} AND ${time}`);
      return set ? numberOf(set.values[0]?.[columnOf(set, 'highest')]) : null;
    },
  };
}
