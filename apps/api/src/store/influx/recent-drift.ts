import type { DriftPoint, Page } from '../point-store.js';
import { StoreFault } from '../store-fault.js';
import { ofOwner } from './conditions.js';
import { parseTags } from './influx-catalog.js';
import type { InfluxConnection } from './influx-connection.js';
import { DRIFT } from './names.js';
import { cutPage, readNewestPage } from './newest-page.js';
import { pageQueries } from './page-queries.js';
import type { StoredRow } from './page-source.js';
import { columnOf, numberOf, type ResultSet, textOf } from './query-answer.js';
import type { RecentQuery } from './recent-points.js';
import { unescapeTagValue } from './text-escape.js';

const ROWS_A_QUERY = 1000;
const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

/**
 * readRecentDrift reads the newest drift points of a range. Their tags are a field, because nothing bounds how many
 * there are: pages of the database are read until enough of them match.
 */
export async function readRecentDrift(
  connection: InfluxConnection,
  { range, limit, after }: RecentQuery,
): Promise<Page<DriftPoint>> {
  const wanted = Object.entries(range.tags ?? {});
  const size = wanted.length === 0 ? limit : Math.max(limit, ROWS_A_QUERY);
  const items: DriftPoint[] = [];
  let position = after;
  for (;;) {
    const page = await readPage(connection, { range, limit: size, after: position });
    if (wanted.length === 0) return page;
    items.push(...page.items.filter(({ tags }) => wanted.every(([name, value]) => has(tags, name, value))));
    if (items.length > limit || !page.next) return cutPage(items, limit, !page.next);
    position = page.next;
  }
}

function readPage(connection: InfluxConnection, { range, limit, after }: RecentQuery): Promise<Page<DriftPoint>> {
  const rows = {
    columns: '"confidence", "drift_type", "severity", "tags", "seq", "model"',
    measurement: DRIFT,
    condition: ofOwner(range),
    sinceMs: range.sinceMs,
  };
  const source = pageQueries(connection, rows, (set) => toDrifts(set, range.project));
  return readNewestPage(source, limit, { toMs: range.untilMs, after });
}

/** Every drift point has all fields: one that lacks any is just being stored. */
function toDrifts(set: ResultSet, project: string): StoredRow<DriftPoint>[] {
  const places = ['time', 'seq', 'confidence', 'drift_type', 'severity', 'tags', 'model'].map((name) =>
    columnOf(set, name),
  );
  const [time, seq, confidence, type, severity, tags, model] = places;
  return set.values.map((row) => {
    const timestampMs = numberOf(row[time]) ?? 0;
    const ownSeq = numberOf(row[seq]);
    if (ownSeq === null || places.some((place) => (row[place] ?? null) === null)) {
      return { timestampMs, seq: ownSeq, item: null };
    }
    const item = {
      project,
      seq: ownSeq,
      timestampMs,
      modelId: unescapeTagValue(textOf(row[model])),
      driftType: textOf(row[type]) === 'data' ? ('data' as const) : ('concept' as const),
      severity: toSeverity(textOf(row[severity])),
      confidence: numberOf(row[confidence]) ?? NaN,
      tags: parseTags(textOf(row[tags])),
    };
    return { timestampMs, seq: ownSeq, item };
  });
}

function toSeverity(stored: string): DriftPoint['severity'] {
  const severity = SEVERITIES.find((name) => name === stored);
  if (!severity) throw new StoreFault('refused', 'a row of InfluxDB holds an unknown severity');
  return severity;
}

function has(tags: Readonly<Record<string, string>>, name: string, value: string): boolean {
  return Object.hasOwn(tags, name) && tags[name] === value;
}
