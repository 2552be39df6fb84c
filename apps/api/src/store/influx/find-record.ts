import { type IdempotencyRecord, RECORD_LIFE_MS } from '../point-store.js';
import { during, equals } from './conditions.js';
import type { InfluxConnection } from './influx-connection.js';
import { quoteText } from './influx-ql.js';
import { RECORDS } from './names.js';
import { columnOf, numberOf, textOf } from './query-answer.js';
import { recordBucket, type RecordName } from './record-place.js';
import { escapeText, unescapeText } from './text-escape.js';

/** findInfluxRecord finds the answer to a request that is not older than records are kept; null when there is none. */
export async function findInfluxRecord(
  connection: InfluxConnection,
  { project, key }: RecordName,
  nowMs: number,
): Promise<IdempotencyRecord | null> {
  const isIt = `"project" = ${quoteText(escapeText(project))} AND "key" = ${quoteText(escapeText(key))}`;
  const [set] = await connection.query(
    'raw',
    `SELECT "body", "fingerprint", "status", "project", "key" FROM "${RECORDS}" WHERE ` +
      `${equals('bucket', recordBucket({ project, key }))} AND ${isIt} AND ` +
      `${during(nowMs - RECORD_LIFE_MS + 1, Infinity)} ORDER BY time DESC LIMIT 1`,
  );
  const row = set?.values[0];
  if (!set || !row) return null;
  const text = (column: string): string => unescapeText(textOf(row[columnOf(set, column)]));
  return {
    project,
    key,
    fingerprint: text('fingerprint'),
    status: numberOf(row[columnOf(set, 'status')]) ?? 0,
    body: text('body'),
    createdMs: numberOf(row[columnOf(set, 'time')]) ?? 0,
  };
}
