import { StoreFault } from '../store-fault.js';
import type { Rollup } from '../rollup-codec.js';
import { HOUR_MS, MINUTE_MS } from '../rollup-id.js';
import { during } from './conditions.js';
import { IntervalSet } from './interval-set.js';
import type { InfluxConnection } from './influx-connection.js';
import { LineBuffer } from './line-buffer.js';
import type { Mark } from './mark.js';
import { MODEL_ROLLUPS, SERIES_ROLLUPS } from './names.js';
import { columnOf, numberOf, type ResultSet, textOf } from './query-answer.js';
import { openBody } from './rollup-body.js';
import { mergeInto, rollupLine } from './rollup-sums.js';

/** Rows of so much time are held in memory at once. */
const STEP_MS = 5 * MINUTE_MS;
const KEY_SPECIALS = /[,= ]/g;

/** compactHours writes the rows by the hour of a slot, from the rows by the minute of the flushes since the last time. */
export async function compactHours(connection: InfluxConnection, mark: Mark, compaction: number): Promise<void> {
  for (const [low, high] of mark.hours.intervals()) {
    for (let hour = low; hour <= high; hour++) {
      for (const name of [SERIES_ROLLUPS, MODEL_ROLLUPS]) {
        await compactHour(connection, mark, { name, hourMs: hour * HOUR_MS, compaction });
      }
    }
  }
}

interface HourTask {
  readonly name: string;
  readonly hourMs: number;
  readonly compaction: number;
}

async function compactHour(
  connection: InfluxConnection,
  mark: Mark,
  { name, hourMs, compaction }: HourTask,
): Promise<void> {
  const owners = new Map<string, Map<number, Rollup>>();
  for (let fromMs = hourMs; fromMs < hourMs + HOUR_MS; fromMs += STEP_MS) {
    const sets = await connection.query(
      'minute',
      `SELECT "body", "part" FROM "${name}" WHERE "slot" = '${mark.slot}' AND "part" > ${mark.compacted} ` +
        `AND "part" <= ${mark.flush} AND ${during(fromMs, fromMs + STEP_MS)} GROUP BY *`,
    );
    for (const set of sets) {
      const head = headOf(set);
      const hours = owners.get(head) ?? new Map<number, Rollup>();
      owners.set(head, hours);
      addRows(hours, set, mark.voidFlushes);
    }
  }
  const out = new LineBuffer();
  for (const [head, hours] of owners) {
    for (const [startMs, rollup] of hours) out.text(rollupLine(head, { startMs, part: compaction, rollup }));
  }
  if (out.length > 0) await connection.write('hour', out.take());
}

function addRows(hours: Map<number, Rollup>, set: ResultSet, voids: IntervalSet): void {
  const [time, body, part] = ['time', 'body', 'part'].map((name) => columnOf(set, name));
  for (const row of set.values) {
    if (voids.has(numberOf(row[part]) ?? 0)) continue;
    const startMs = numberOf(row[time]);
    if (startMs === null) throw new StoreFault('refused', 'a row of InfluxDB has no time');
    mergeInto(hours, startMs, openBody(textOf(row[body])).decode());
  }
}

/** headOf writes the tags of rows as they were written: what they hold is escaped already. */
function headOf({ name, tags }: ResultSet): string {
  const present = Object.entries(tags).filter(([, value]) => value !== '');
  const escape = (text: string): string => text.replace(KEY_SPECIALS, '\\$&');
  return name + present.map(([key, value]) => `,${escape(key)}=${escape(value)}`).join('');
}
