import type { Database } from '@tidemark/sqlite';
import { Chunk } from './chunk.js';
import { ChunkError } from './chunk-error.js';
import { METRICS } from './chunk-layout.js';
import { readBodies, toBody } from './chunk-walk.js';
import { encodeRollup, RollupReader, type Rollup } from './rollup-codec.js';
import { floorTo, HOUR_MS, MINUTE_MS, rollupId, type Owner, type Resolution } from './rollup-id.js';
import { Tally } from './tally.js';

/** OUT_OF_STEP is the code of the error when the writer's memory and the file do not agree about what is folded. */
export const OUT_OF_STEP = 'OUT_OF_STEP';

/** FoldTask is chunks of one series, by rising id, that are not yet counted in the rollups. */
export interface FoldTask {
  readonly model: number;
  readonly series: number;
  readonly chunks: readonly number[];
}

/**
 * foldTasks counts the chunks of some series of ONE model into the rollups of the series and of the model, and moves
 * each series' mark past them. Call it inside a transaction: counted and marked become true together, so that a crash
 * neither loses nor doubles a point, however late or out of order it came. It throws OUT_OF_STEP for what is counted.
 */
export function foldTasks(database: Database, tasks: readonly FoldTask[]): void {
  const ofModel = new Buckets();
  for (const { model, series, chunks } of tasks) {
    const ofSeries = new Buckets();
    for (const row of readBodies(database, 'chunks', chunks)) addUndamaged(ofSeries, toBody(row));
    ofSeries.addTo(database, { kind: 'series', id: series });
    ofModel.merge(ofSeries);
    const { changes } = database
      .prepare('UPDATE series_state SET folded_chunk = ? WHERE model = ? AND series = ? AND folded_chunk < ?')
      .run([chunks[chunks.length - 1], model, series, chunks[0]]);
    if (changes !== 1)
      throw Object.assign(new Error(`series ${series} is past chunk ${chunks[0]}`), { code: OUT_OF_STEP });
  }
  if (tasks.length > 0) ofModel.addTo(database, { kind: 'model', id: tasks[0].model });
}

/** addUndamaged passes over a damaged chunk: reads report it, and it must not keep all others from being counted. */
function addUndamaged(buckets: Buckets, body: ArrayBuffer): void {
  try {
    buckets.addChunk(Chunk.open(body));
  } catch (error) {
    if (!(error instanceof ChunkError)) throw error;
  }
}

/** Buckets are the rollups by the minute of the points that one fold adds. */
class Buckets {
  private readonly minutes = new Map<number, Rollup>();

  addChunk(chunk: Chunk): void {
    const times = chunk.times();
    // metric() looks among the built-in ones first: a custom value of the same name is kept, not summed up.
    const names = new Set([...METRICS, ...chunk.names()]);
    const columns = [...names].flatMap((name) => namedColumn(name, chunk.metric(name)));
    for (let from = 0, to = 0; from < times.length; from = to) {
      const start = floorTo(times[from], MINUTE_MS);
      while (to < times.length && times[to] >= start && times[to] < start + MINUTE_MS) to++;
      const rollup = this.minute(start);
      for (const { name, values } of columns) tallyOf(rollup, name).addColumn(values, from, to);
    }
  }

  merge(other: Buckets): void {
    for (const [start, rollup] of other.minutes) mergeRollup(this.minute(start), rollup);
  }

  /** addTo adds everything to the stored rollups of an owner, by the minute and by the hour. */
  addTo(database: Database, owner: Owner): void {
    const hours = new Map<number, Rollup>();
    for (const [start, rollup] of this.minutes) {
      addStored(database, owner, 'minute', start, rollup);
      const hourStart = floorTo(start, HOUR_MS);
      const hour = hours.get(hourStart) ?? new Map<string, Tally>();
      hours.set(hourStart, hour);
      mergeRollup(hour, rollup);
    }
    for (const [start, rollup] of hours) addStored(database, owner, 'hour', start, rollup);
  }

  private minute(start: number): Rollup {
    let rollup = this.minutes.get(start);
    if (!rollup) this.minutes.set(start, (rollup = new Map<string, Tally>()));
    return rollup;
  }
}

function addStored(database: Database, owner: Owner, resolution: Resolution, startMs: number, added: Rollup): void {
  const id = rollupId(owner, resolution, startMs);
  const [row] = database.prepare('SELECT body FROM rollups WHERE id = ?').all([id]);
  if (!row) {
    database.prepare('INSERT INTO rollups (id, body) VALUES (?, ?)').run([id, encodeRollup(added)]);
    return;
  }
  const rollup = new RollupReader(toBody(row)).decode();
  mergeRollup(rollup, added);
  database.prepare('UPDATE rollups SET body = ? WHERE id = ?').run([encodeRollup(rollup), id]);
}

function mergeRollup(target: Rollup, added: Rollup): void {
  for (const [name, tally] of added) tallyOf(target, name).merge(tally);
}

function tallyOf(rollup: Rollup, name: string): Tally {
  let tally = rollup.get(name);
  if (!tally) rollup.set(name, (tally = new Tally(true)));
  return tally;
}

function namedColumn(name: string, values: Float64Array | null): { name: string; values: Float64Array }[] {
  return values ? [{ name, values }] : [];
}
