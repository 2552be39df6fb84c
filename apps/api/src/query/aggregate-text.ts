import { setImmediate as others } from 'node:timers/promises';
import type { Aggregate, AggregateGroup } from '../store/point-store.js';

/** Values that are written before others have their turn, which takes a few ms; a group costs as much as ten. */
const TURN_VALUES = 10_000;
const GROUP_VALUES = 10;

/**
 * aggregateText writes an aggregate as JSON: as a list of groups, or the only group by itself. The text is put together
 * piece by piece, and between groups other requests have their turn: JSON.stringify of all of it has to be done in one go.
 */
export async function aggregateText(
  aggregate: Aggregate,
  metrics: readonly string[],
  isSplit: boolean,
): Promise<string> {
  const starts = aggregate.times.map((ms) => `{"time":"${new Date(ms).toISOString()}","value":`);
  const names = metrics.map((metric) => `${JSON.stringify(metric)}:[`);
  if (!isSplit) return columnsText(aggregate.groups[0], { metrics, names, starts });
  const parts: string[] = [];
  let written = 0;
  for (const one of aggregate.groups) {
    parts.push(`{"group":${JSON.stringify(one.group)},${columnsText(one, { metrics, names, starts }).slice(1)}`);
    written += GROUP_VALUES + starts.length * metrics.length;
    if (written < TURN_VALUES) continue;
    written = 0;
    await others();
  }
  return `{"groups":[${parts.join(',')}]}`;
}

interface Columns {
  readonly metrics: readonly string[];
  readonly names: readonly string[];
  readonly starts: readonly string[];
}

function columnsText(group: AggregateGroup | undefined, { metrics, names, starts }: Columns): string {
  const columns = metrics.map((metric, place) => {
    const values = group?.values[metric];
    return `${names[place]}${starts.map((start, i) => `${start}${numberText(values?.[i])}}`).join(',')}]`;
  });
  return `{"aggregated_metrics":{${columns.join(',')}}}`;
}

/** numberText is a number as JSON.stringify writes it: one that is not finite has no JSON and is null, like an absent one. */
function numberText(value: number | null | undefined): string {
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : 'null';
}
