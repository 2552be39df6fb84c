import { AddedRollups, mergeRollup } from '../add-rollups.js';
import { METRICS } from '../chunk-layout.js';
import type { CustomEntries } from '../gathered-points.js';
import type { Point, Series } from '../point-store.js';
import { encodeRollup, type Rollup } from '../rollup-codec.js';
import { floorTo, HOUR_MS } from '../rollup-id.js';
import type { Tally } from '../tally.js';
import { seriesTags } from './encode-batch.js';
import { IntervalSet } from './interval-set.js';
import { LineBuffer } from './line-buffer.js';
import { tagText } from './line-protocol.js';
import { METRIC_NAMES, MODEL_ROLLUPS, SERIES_ROLLUPS } from './names.js';

interface Owned {
  readonly series: Series;
  readonly added: AddedRollups;
}

/** RollupSums are the rollups of the points that a flush counts, by series and by model. */
export class RollupSums {
  private readonly owners = new Map<string, Owned>();
  /** The hours that have points, since the epoch. */
  readonly hours = new IntervalSet();

  add(points: readonly Point[]): void {
    for (const [key, ofSeries] of bySeries(points)) {
      const owned = this.owners.get(key) ?? { series: ofSeries[0].series, added: new AddedRollups() };
      this.owners.set(key, owned);
      owned.added.add(toColumns(ofSeries));
    }
    let last = NaN;
    for (const { timestampMs } of points) {
      const hour = Math.floor(timestampMs / HOUR_MS);
      if (hour !== last && !this.hours.has(hour)) this.hours.add(hour);
      last = hour;
    }
  }

  /** lines are the rows by the minute, in blobs of about maxBytes. */
  *lines(slot: number, part: number, maxBytes: number): IterableIterator<Uint8Array> {
    const models = new Map<string, { readonly head: string; readonly added: AddedRollups }>();
    let out = new LineBuffer();
    const write = function* (head: string, added: AddedRollups): IterableIterator<Uint8Array> {
      for (const [startMs, rollup] of added.byMinute()) {
        out.text(rollupLine(head, { startMs, part, rollup }));
        if (out.length < maxBytes) continue;
        yield out.take();
        out = new LineBuffer();
      }
    };
    for (const { series, added } of this.owners.values()) {
      const head = `${MODEL_ROLLUPS}${modelTags(series)},slot=${slot}`;
      const model = models.get(head) ?? { head, added: new AddedRollups() };
      models.set(head, model);
      model.added.merge(added);
      yield* write(`${SERIES_ROLLUPS}${seriesTags(series)},slot=${slot}`, added);
    }
    for (const { head, added } of models.values()) yield* write(head, added);
    if (out.length > 0) yield out.take();
  }

  /** nameLines keep the names of custom metrics for longer than raw points; each lies at a fixed time. */
  nameLines(): string {
    const lines = new Set<string>();
    for (const { series, added } of this.owners.values()) {
      for (const [, rollup] of added.byMinute()) {
        for (const name of rollup.keys()) {
          if (METRICS.some((metric) => metric === name)) continue;
          lines.add(`${METRIC_NAMES}${modelTags(series)}${tagText('name', name)} seen=1i 0\n`);
        }
      }
    }
    return [...lines].join('');
  }
}

/** RollupRow is a rollup on its way to the database. `part` tells the rows of one bucket apart: the number of its flush. */
export interface RollupRow {
  readonly startMs: number;
  readonly part: number;
  readonly rollup: Rollup;
}

/** rollupLine is a rollup as a line; its time is the start of its bucket and, in ns, its part. */
export function rollupLine(head: string, { startMs, part, rollup }: RollupRow): string {
  const time = BigInt(startMs) * 1_000_000n + BigInt(part);
  return `${head} body="${encodeRollup(rollup).toString('base64')}",part=${part}i ${time}\n`;
}

/** mergeInto adds a rollup to the one of an hour. */
export function mergeInto(hours: Map<number, Rollup>, startMs: number, rollup: Rollup): void {
  const hourMs = floorTo(startMs, HOUR_MS);
  let hour = hours.get(hourMs);
  if (!hour) hours.set(hourMs, (hour = new Map<string, Tally>()));
  mergeRollup(hour, rollup);
}

function modelTags({ modelId, project }: Series): string {
  return tagText('model', modelId) + tagText('project', project);
}

function bySeries(points: readonly Point[]): Map<string, Point[]> {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const group = groups.get(point.series.key);
    if (group) group.push(point);
    else groups.set(point.series.key, [point]);
  }
  return groups;
}

function toColumns(points: Point[]): Parameters<AddedRollups['add']>[0] {
  if (!areInOrder(points)) points.sort((a, b) => a.timestampMs - b.timestampMs);
  const { length } = points;
  const [times, latency, throughput] = [new Float64Array(length), new Float64Array(length), new Float64Array(length)];
  const [errorRate, gpuMemory] = [new Float64Array(length), new Float64Array(length)];
  const [cpuUsage, memoryUsage] = [new Float64Array(length), new Float64Array(length)];
  // One pass and no function for each column: this is done for every point.
  for (let row = 0; row < length; row++) {
    const point = points[row];
    times[row] = point.timestampMs;
    latency[row] = point.latency;
    throughput[row] = point.throughput ?? NaN;
    errorRate[row] = point.errorRate ?? NaN;
    gpuMemory[row] = point.gpuMemory ?? NaN;
    cpuUsage[row] = point.cpuUsage ?? NaN;
    memoryUsage[row] = point.memoryUsage ?? NaN;
  }
  return {
    times,
    metrics: [latency, throughput, errorRate, gpuMemory, cpuUsage, memoryUsage],
    customs: customsOf(points),
  };
}

function areInOrder(points: readonly Point[]): boolean {
  for (let i = 1; i < points.length; i++) if (points[i].timestampMs < points[i - 1].timestampMs) return false;
  return true;
}

function customsOf(points: readonly Point[]): Map<string, CustomEntries> {
  const customs = new Map<string, { rows: number[]; values: number[] } & CustomEntries>();
  points.forEach(({ values }, row) => {
    if (values === null) return;
    for (const [name, value] of Object.entries(values)) {
      const entries = customs.get(name) ?? { rows: [], values: [] };
      customs.set(name, entries);
      entries.rows.push(row);
      entries.values.push(value);
    }
  });
  return customs;
}
