import type { InfluxConnection } from './influx-connection.js';
import { IntervalSet } from './interval-set.js';
import type { Mark } from './mark.js';
import { RECEIPTS } from './names.js';
import { columnOf, numberOf, type ResultSet, textOf } from './query-answer.js';
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

/** receiptLine is a receipt as a line. */
export function receiptLine({ slot, ticket, minutes, points, drifts, newestMs }: Receipt): string {
  const lastSeq = Math.max(points.highest, drifts.highest);
  const fields =
    `minutes="${minutes.toString()}",points="${points.toString()}",drifts="${drifts.toString()}",` +
    `last_seq=${lastSeq}i,newest_ms=${Math.max(newestMs, -1)}i,ticket=${ticket}i`;
  return `${RECEIPTS},slot=${slot} ${fields} ${ticket}000\n`;
}

/** readReceipts reads the receipts beyond the marks of their slots. Rejects with a StoreFault. */
export async function readReceipts(
  connection: InfluxConnection,
  marks: readonly Pick<Mark, 'slot' | 'ticket'>[],
  signal?: AbortSignal,
): Promise<readonly Receipt[]> {
  if (marks.length === 0) return [];
  const statements = marks.map(
    ({ slot, ticket }) =>
      `SELECT "minutes", "points", "drifts", "newest_ms", "ticket", "slot" FROM "${RECEIPTS}" ` +
      `WHERE "slot" = '${slot}' AND time > ${ticket}u`,
  );
  const sets = await connection.query('raw', statements.join('; '), signal);
  return sets.flatMap((set) => set.values.map((_, row) => toReceipt(set, row)));
}

function toReceipt(set: ResultSet, row: number): Receipt {
  const cell = (name: string): ResultSet['values'][number][number] => set.values[row][columnOf(set, name)];
  const newestMs = numberOf(cell('newest_ms')) ?? -1;
  return {
    slot: Number(textOf(cell('slot'))),
    ticket: numberOf(cell('ticket')) ?? 0,
    minutes: IntervalSet.parse(textOf(cell('minutes'))),
    points: SeqSets.parse(textOf(cell('points'))),
    drifts: SeqSets.parse(textOf(cell('drifts'))),
    newestMs: newestMs < 0 ? -Infinity : newestMs,
  };
}
