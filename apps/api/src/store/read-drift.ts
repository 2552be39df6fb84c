import type { Database } from '@tidemark/sqlite';
import type { DriftPoint, Page } from './point-store.js';
import { fromSqlText } from './sql-text.js';
import { modelKey, toTags } from './series-catalog.js';
import type { RecentMessage } from './store-messages.js';

const ROWS_A_QUERY = 1000;

/** readRecentDrift finds the newest drift points of a range, newest first. */
export function readRecentDrift(database: Database, { range, limit, after }: RecentMessage): Page<DriftPoint> {
  const [project, modelId] = modelKey(range.project, range.modelId ?? '');
  const models = range.modelId === undefined ? 'm.project = ?' : 'm.project = ? AND m.model_id = ?';
  const wanted = Object.entries(range.tags ?? {});
  const statement = database.prepare(
    `SELECT d.seq, d.time_ms, d.drift_type, d.severity, d.confidence, d.tags, m.model_id
     FROM models m JOIN drifts d ON d.model = m.id
     WHERE ${models} AND d.time_ms >= ? AND d.time_ms < ? AND (d.time_ms, d.seq) < (?, ?)
     ORDER BY d.time_ms DESC, d.seq DESC LIMIT ${ROWS_A_QUERY}`,
  );
  const found: DriftPoint[] = [];
  let position = after ?? { timestampMs: Number.MAX_VALUE, seq: 0 };
  for (;;) {
    const keys = range.modelId === undefined ? [project] : [project, modelId];
    const rows = statement.all([...keys, range.sinceMs, range.untilMs, position.timestampMs, position.seq]);
    for (const row of rows) {
      const tags = toTags(row.tags);
      position = { timestampMs: Number(row.time_ms), seq: Number(row.seq) };
      if (!wanted.every(([name, value]) => Object.hasOwn(tags, name) && tags[name] === value)) continue;
      found.push({
        project: range.project,
        ...position,
        modelId: fromSqlText(row.model_id),
        driftType: row.drift_type === 'data' ? 'data' : 'concept',
        severity: toSeverity(row.severity),
        confidence: Number(row.confidence),
        tags,
      });
      if (found.length > limit) return { items: found.slice(0, limit), next: positionOf(found[limit - 1]) };
    }
    if (rows.length < ROWS_A_QUERY) return { items: found, next: null };
  }
}

function positionOf({ timestampMs, seq }: DriftPoint): { readonly timestampMs: number; readonly seq: number } {
  return { timestampMs, seq };
}

function toSeverity(stored: unknown): DriftPoint['severity'] {
  const severities = ['low', 'medium', 'high', 'critical'] as const;
  const severity = severities.find((name) => name === stored);
  if (!severity) throw new TypeError(`a drift row holds the severity ${String(stored)}`);
  return severity;
}
