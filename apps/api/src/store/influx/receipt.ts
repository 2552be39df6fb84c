import type { InfluxConnection } from './influx-connection.js';
import { IntervalSet } from './interval-set.js';
import { stringField } from './line-protocol.js';
import type { Mark } from './mark.js';
import { RECEIPTS } from './names.js';
import { PackedField } from './packed-field.js';
import { columnOf, type ResultSet, textOf } from './query-answer.js';
import type { LinesContent } from './scan-lines.js';
import { SeqSets } from './seq-sets.js';

/**
 * Receipt says what a request brought: it is a line of the same request. Late points may lie anywhere in time; with the
 * receipts beyond a slot's mark a reader knows in which minutes to look for points that no rollup counts.
 */
export interface Receipt extends LinesContent {
  readonly slot: number;
  /** When it was sent, in µs since the epoch by the slot's clock; rises with each receipt of a slot. */
  readonly ticket: number;
}

/**
 * receiptLine is a receipt as a line, in one field, so that nobody reads the half of one. One that names more than it brought
 * only has readers look at more.
 */
export function receiptLine({ slot, ticket, minutes, points, drifts, newestMs }: Receipt): string {
  const content = {
    ticket,
    minutes: minutes.bounded().toString(),
    points: points.bounded().toString(),
    drifts: drifts.bounded().toString(),
    newestMs: Math.max(newestMs, -1),
  };
  return `${RECEIPTS},slot=${slot} content=${stringField(JSON.stringify(content))} ${ticket}000\n`;
}

/** readReceipts reads the receipts beyond the marks of their slots. Rejects with a StoreFault. */
export async function readReceipts(
  connection: InfluxConnection,
  marks: readonly Pick<Mark, 'slot' | 'ticket'>[],
  signal?: AbortSignal,
): Promise<readonly Receipt[]> {
  if (marks.length === 0) return [];
  const statements = marks.map(
    ({ slot, ticket }) => `SELECT "content", "slot" FROM "${RECEIPTS}" WHERE "slot" = '${slot}' AND time > ${ticket}u`,
  );
  const sets = await connection.query('raw', statements.join('; '), signal);
  return sets.flatMap((set) => set.values.map((row) => toReceipt(set, row)));
}

function toReceipt(set: ResultSet, row: ResultSet['values'][number]): Receipt {
  const content = new PackedField(textOf(row[columnOf(set, 'content')]));
  const newestMs = content.number('newestMs');
  return {
    slot: Number(textOf(row[columnOf(set, 'slot')])),
    ticket: content.number('ticket'),
    minutes: IntervalSet.parse(content.text('minutes')),
    points: SeqSets.parse(content.text('points')),
    drifts: SeqSets.parse(content.text('drifts')),
    newestMs: newestMs < 0 ? -Infinity : newestMs,
  };
}
