import type { InfluxConnection } from './influx-connection.js';
import { IntervalSet } from './interval-set.js';
import { MARKS } from './names.js';
import { stringField } from './line-protocol.js';
import { PackedField } from './packed-field.js';
import { columnOf, textOf } from './query-answer.js';
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

/**
 * markLine is a mark as a line; its time is its version, in ns. All of it is one field: InfluxDB stores the fields of a line
 * one after the other, and a reader in between would take a half of this mark for the newest.
 */
export function markLine(mark: Mark): string {
  const state = {
    ...mark,
    counted: mark.counted.toString(),
    hours: mark.hours.toString(),
    voidFlushes: mark.voidFlushes.toString(),
    voidCompactions: mark.voidCompactions.toString(),
    newestMs: Math.max(mark.newestMs, -1),
  };
  return `${MARKS},slot=${mark.slot} state=${stringField(JSON.stringify(state))} ${mark.version}\n`;
}

/** readMarks reads the newest mark of every slot. Rejects with a StoreFault. */
export async function readMarks(connection: InfluxConnection, signal?: AbortSignal): Promise<readonly Mark[]> {
  const sets = await connection.query(
    'meta',
    `SELECT "state" FROM "${MARKS}" GROUP BY "slot" ORDER BY time DESC LIMIT 1`,
    signal,
  );
  return sets.flatMap((set) => set.values.map((row) => toMark(set.tags.slot, textOf(row[columnOf(set, 'state')]))));
}

function toMark(slot: string, text: string): Mark {
  const state = new PackedField(text);
  const newestMs = state.number('newestMs');
  return {
    slot: Number(slot),
    version: state.number('version'),
    ticket: state.number('ticket'),
    counted: SeqSets.parse(state.text('counted')),
    flush: state.number('flush'),
    compaction: state.number('compaction'),
    compacted: state.number('compacted'),
    hours: IntervalSet.parse(state.text('hours')),
    voidFlushes: IntervalSet.parse(state.text('voidFlushes')),
    voidCompactions: IntervalSet.parse(state.text('voidCompactions')),
    lastSeq: state.number('lastSeq'),
    newestMs: newestMs < 0 ? -Infinity : newestMs,
    isClean: state.flag('isClean'),
  };
}
