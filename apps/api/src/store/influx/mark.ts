import type { InfluxConnection } from './influx-connection.js';
import { IntervalSet } from './interval-set.js';
import { MARKS } from './names.js';
import { columnOf, numberOf, type ResultSet, textOf } from './query-answer.js';
import { SeqSets } from './seq-sets.js';

/**
 * Mark is how far a slot's points are counted in rollups. A slot is what one process at a time holds: its number is the
 * writer tag of the points that it encodes. A mark is written after the rows it vouches for, so that what no mark names
 * is not there: rows of a flush that did not finish are read by nobody.
 */
export interface Mark {
  readonly slot: number;
  /** Rises with each mark of the slot; the highest is valid. */
  readonly version: number;
  /** Every receipt of the slot up to this ticket is counted. */
  readonly ticket: number;
  /** The points that are counted, of whatever writer. */
  readonly counted: SeqSets;
  /** Rows by the minute count up to this flush, rows by the hour up to this compaction. */
  readonly flush: number;
  readonly compaction: number;
  /** The rows by the hour hold the flushes up to this one; the hours that later ones touched. */
  readonly compacted: number;
  readonly hours: IntervalSet;
  /** Flushes and compactions that did not finish: their rows never count. */
  readonly voidFlushes: IntervalSet;
  readonly voidCompactions: IntervalSet;
  readonly lastSeq: number;
  /** Epoch ms. */
  readonly newestMs: number;
  /** The process that held the slot ended in order, with no flush under way. */
  readonly isClean: boolean;
}

/** firstMark is where a slot begins that was never held. */
export function firstMark(slot: number): Mark {
  return {
    slot,
    version: 0,
    ticket: 0,
    counted: new SeqSets(),
    flush: 0,
    compaction: 0,
    compacted: 0,
    hours: new IntervalSet(),
    voidFlushes: new IntervalSet(),
    voidCompactions: new IntervalSet(),
    lastSeq: 0,
    newestMs: -Infinity,
    isClean: true,
  };
}

/** markLine is a mark as a line; its time is its version, in ns. */
export function markLine(mark: Mark): string {
  const fields = [
    `ticket=${mark.ticket}i`,
    `counted="${mark.counted.toString()}"`,
    `flush=${mark.flush}i,compaction=${mark.compaction}i,compacted=${mark.compacted}i`,
    `hours="${mark.hours.toString()}"`,
    `void_flushes="${mark.voidFlushes.toString()}"`,
    `void_compactions="${mark.voidCompactions.toString()}"`,
    `last_seq=${mark.lastSeq}i,newest_ms=${Math.max(mark.newestMs, -1)}i,clean=${mark.isClean},version=${mark.version}i`,
  ];
  return `${MARKS},slot=${mark.slot} ${fields.join(',')} ${mark.version}\n`;
}

/** readMarks reads the newest mark of every slot. Rejects with a StoreFault. */
export async function readMarks(connection: InfluxConnection, signal?: AbortSignal): Promise<readonly Mark[]> {
  const sets = await connection.query(
    'meta',
    `SELECT * FROM "${MARKS}" GROUP BY "slot" ORDER BY time DESC LIMIT 1`,
    signal,
  );
  return sets.flatMap((set) => set.values.map((_, row) => toMark(set, row)));
}

function toMark(set: ResultSet, row: number): Mark {
  const cell = (name: string): ResultSet['values'][number][number] => set.values[row][columnOf(set, name)];
  const number = (name: string): number => numberOf(cell(name)) ?? 0;
  const intervals = (name: string): IntervalSet => IntervalSet.parse(textOf(cell(name)));
  const newestMs = number('newest_ms');
  return {
    slot: Number(set.tags.slot),
    version: number('version'),
    ticket: number('ticket'),
    counted: SeqSets.parse(textOf(cell('counted'))),
    flush: number('flush'),
    compaction: number('compaction'),
    compacted: number('compacted'),
    hours: intervals('hours'),
    voidFlushes: intervals('void_flushes'),
    voidCompactions: intervals('void_compactions'),
    lastSeq: number('last_seq'),
    newestMs: newestMs < 0 ? -Infinity : newestMs,
    isClean: cell('clean') === true,
  };
}
