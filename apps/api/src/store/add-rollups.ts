import type { Database } from '@tidemark/sqlite';
import { toBody } from './blocks.js';
import { METRICS } from './chunk-layout.js';
import type { GatheredPoints } from './gathered-points.js';
import { encodeRollup, RollupError, RollupReader, type Rollup } from './rollup-codec.js';
import { floorTo, HOUR_MS, MINUTE_MS, rollupId, type Owner } from './rollup-id.js';
import { finish, type Steps } from './steps.js';
import { Tally } from './tally.js';

/** TalliedPoints are what of points is summed up, in order of time. */
type TalliedPoints = Pick<GatheredPoints, 'times' | 'metrics' | 'customs'>;

/** AddedRollups are the rollups, by the minute, of the points that a flush adds. */
export class AddedRollups {
  private readonly minutes = new Map<number, Rollup>();

  add(points: TalliedPoints): void {
    finish(this.addInSteps(points));
  }

  /** addInSteps adds points a metric at a time. */
  *addInSteps({ times, metrics, customs }: TalliedPoints): Steps<void> {
    for (let from = 0, to = 0; from < times.length; from = to) {
      const start = floorTo(times[from], MINUTE_MS);
      while (to < times.length && times[to] < start + MINUTE_MS) to++;
      const rollup = this.minute(start);
      for (const [i, name] of METRICS.entries()) {
        const column = metrics[i];
        if (!column) continue;
        tallyOf(rollup, name).addColumn(column, from, to);
        yield;
      }
    }
    for (const [name, { rows, values }] of customs) {
      // A custom value that has the name of a built-in metric is kept, not summed up.
      if (METRICS.some((metric) => metric === name)) continue;
      rows.forEach((row, i) => {
        tallyOf(this.minute(floorTo(times[row], MINUTE_MS)), name).addColumn(Float64Array.of(values[i]), 0, 1);
      });
      yield;
    }
  }

  /** byMinute are the rollups with the start of their minute, epoch ms. */
  byMinute(): IterableIterator<[startMs: number, rollup: Rollup]> {
    return this.minutes.entries();
  }

  merge(other: AddedRollups): void {
    for (const [start, rollup] of other.minutes) mergeRollup(this.minute(start), rollup);
  }

  /**
   * addTo adds everything to the stored rollups of an owner, by the minute and by the hour. A damaged rollup begins anew:
   * nothing can be added to it, and all flushing would stop at it. It returns how many did.
   */
  addTo(database: Database, owner: Owner): number {
    let damaged = 0;
    const hours = new Map<number, Rollup>();
    for (const [start, rollup] of this.minutes) {
      if (!addStored(database, rollupId(owner, 'minute', start), rollup)) damaged++;
      const hourStart = floorTo(start, HOUR_MS);
      const hour = hours.get(hourStart) ?? new Map<string, Tally>();
      hours.set(hourStart, hour);
      mergeRollup(hour, rollup);
    }
    for (const [start, rollup] of hours) if (!addStored(database, rollupId(owner, 'hour', start), rollup)) damaged++;
    return damaged;
  }

  private minute(start: number): Rollup {
    let rollup = this.minutes.get(start);
    if (!rollup) this.minutes.set(start, (rollup = new Map<string, Tally>()));
    return rollup;
  }
}

/** addStored tells whether what was stored could be read. */
function addStored(database: Database, id: number, added: Rollup): boolean {
  const [row] = database.prepare('SELECT body FROM rollups WHERE id = ?').all([id]);
  if (!row) {
    database.prepare('INSERT INTO rollups (id, body) VALUES (?, ?)').run([id, encodeRollup(added)]);
    return true;
  }
  const stored = decodeUndamaged(toBody(row));
  const rollup = stored ?? new Map<string, Tally>();
  mergeRollup(rollup, added);
  database.prepare('UPDATE rollups SET body = ? WHERE id = ?').run([encodeRollup(rollup), id]);
  return stored !== null;
}

function decodeUndamaged(body: ArrayBuffer): Rollup | null {
  try {
    return new RollupReader(body).decode();
  } catch (error) {
    if (error instanceof RollupError) return null;
    throw error;
  }
}

/** mergeRollup adds every tally of one rollup to another. */
export function mergeRollup(target: Rollup, added: Rollup): void {
  for (const [name, tally] of added) tallyOf(target, name).merge(tally);
}

function tallyOf(rollup: Rollup, name: string): Tally {
  let tally = rollup.get(name);
  if (!tally) rollup.set(name, (tally = new Tally(true)));
  return tally;
}
