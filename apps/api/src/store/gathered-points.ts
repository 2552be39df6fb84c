import type { Chunk, CustomValue } from './chunk.js';
import { METRICS } from './chunk-layout.js';
import { finish, type Steps } from './steps.js';

/** PointSource is some rows of a chunk; all of them when `rows` is null. */
export interface PointSource {
  readonly chunk: Chunk;
  readonly rows: ArrayLike<number> | null;
}

/** CustomEntries are the values of one custom metric and the rows, ascending, that carry them. */
export interface CustomEntries {
  readonly rows: readonly number[];
  readonly values: readonly number[];
}

/** GatheredPoints are points of one series in ascending (time, seq) order, as columns. */
export interface GatheredPoints {
  readonly times: Float64Array;
  readonly seqs: Float64Array;
  /** In step with METRICS; null when no point carries the metric. */
  readonly metrics: readonly (Float64Array | null)[];
  readonly customs: ReadonlyMap<string, CustomEntries>;
  readonly ids: readonly string[];
}

/** gatherPoints picks rows out of several chunks and sorts them. */
export function gatherPoints(sources: readonly PointSource[]): GatheredPoints {
  return finish(gatherInSteps(sources));
}

/** gatherInSteps is the same, a chunk at a time. */
export function* gatherInSteps(sources: readonly PointSource[]): Steps<GatheredPoints> {
  const count = sources.reduce((sum, { chunk, rows }) => sum + (rows?.length ?? chunk.count), 0);
  const gathering = new Gathering(count);
  for (const source of sources) {
    gathering.add(source);
    yield;
  }
  return gathering.sorted();
}

/** joinPoints merges two sorted lists of points into one. */
export function joinPoints(a: GatheredPoints, b: GatheredPoints): GatheredPoints {
  const count = a.times.length + b.times.length;
  // Row i of the result is row order[i] of `a` followed by `b`.
  const order = new Uint32Array(count);
  for (let i = 0, inA = 0, inB = 0; i < count; i++) {
    const takesA = inB === b.times.length || (inA < a.times.length && isBefore(a, inA, b, inB));
    order[i] = takesA ? inA++ : a.times.length + inB++;
  }
  const join = (left: Float64Array | null, right: Float64Array | null): Float64Array | null => {
    if (!left && !right) return null;
    const joined = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const row = order[i];
      joined[i] = (row < a.times.length ? left?.[row] : right?.[row - a.times.length]) ?? NaN;
    }
    return joined;
  };
  return {
    times: join(a.times, b.times) ?? a.times,
    seqs: join(a.seqs, b.seqs) ?? a.seqs,
    metrics: a.metrics.map((column, metric) => join(column, b.metrics[metric])),
    customs: joinCustoms(a, b, order),
    ids: Array.from(order, (row) => (row < a.times.length ? a.ids[row] : b.ids[row - a.times.length])),
  };
}

/** slicePoints are the points from..to-1. */
export function slicePoints(points: GatheredPoints, from: number, to: number): GatheredPoints {
  if (from === 0 && to === points.times.length) return points;
  const customs = new Map<string, CustomEntries>();
  for (const [name, { rows, values }] of points.customs) {
    const first = rows.findIndex((row) => row >= from);
    const end = rows.findIndex((row) => row >= to);
    const [a, b] = [first < 0 ? rows.length : first, end < 0 ? rows.length : end];
    if (a < b) customs.set(name, { rows: rows.slice(a, b).map((row) => row - from), values: values.slice(a, b) });
  }
  return {
    times: points.times.slice(from, to),
    seqs: points.seqs.slice(from, to),
    metrics: points.metrics.map((column) => withoutEmpty(column && column.slice(from, to))),
    customs,
    ids: points.ids.slice(from, to),
  };
}

function isBefore(a: GatheredPoints, inA: number, b: GatheredPoints, inB: number): boolean {
  return a.times[inA] < b.times[inB] || (a.times[inA] === b.times[inB] && a.seqs[inA] <= b.seqs[inB]);
}

function joinCustoms(a: GatheredPoints, b: GatheredPoints, order: Uint32Array): Map<string, CustomEntries> {
  const customs = new Map<string, CustomEntries>();
  if (a.customs.size + b.customs.size === 0) return customs;
  const places = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) places[order[i]] = i;
  for (const name of new Set([...a.customs.keys(), ...b.customs.keys()])) {
    const entries: [row: number, value: number][] = [];
    const add = (column: CustomEntries | undefined, offset: number): void => {
      column?.rows.forEach((row, i) => entries.push([places[offset + row], column.values[i]]));
    };
    add(a.customs.get(name), 0);
    add(b.customs.get(name), a.times.length);
    entries.sort(([left], [right]) => left - right);
    customs.set(name, { rows: entries.map(([row]) => row), values: entries.map(([, value]) => value) });
  }
  return customs;
}

/** Gathering is columns that are filled, source by source. */
class Gathering {
  private readonly times: Float64Array;
  private readonly seqs: Float64Array;
  private readonly ids: string[];
  private readonly metrics: (Float64Array | null)[] = METRICS.map(() => null);
  private readonly customs: { readonly row: number; readonly values: readonly CustomValue[] }[] = [];
  private filled = 0;

  constructor(private readonly count: number) {
    this.times = new Float64Array(count);
    this.seqs = new Float64Array(count);
    this.ids = new Array<string>(count);
  }

  add({ chunk, rows }: PointSource): void {
    const from = this.filled;
    const length = rows?.length ?? chunk.count;
    const [times, seqs] = [chunk.times(), chunk.seqs()];
    for (let i = 0; i < length; i++) {
      const row = rows ? rows[i] : i;
      this.times[from + i] = times[row];
      this.seqs[from + i] = seqs[row];
      this.ids[from + i] = chunk.requestId(row);
      const values = chunk.customsAt(row);
      if (values.length > 0) this.customs.push({ row: from + i, values });
    }
    for (let metric = 0; metric < METRICS.length; metric++) {
      const column = chunk.builtIn(metric);
      if (!column) continue;
      const filled = (this.metrics[metric] ??= new Float64Array(this.count).fill(NaN));
      for (let i = 0; i < length; i++) filled[from + i] = column[rows ? rows[i] : i];
    }
    this.filled += length;
  }

  sorted(): GatheredPoints {
    const order = this.order();
    const inOrder = (column: Float64Array): Float64Array => {
      if (!order) return column;
      const sorted = new Float64Array(order.length);
      for (let i = 0; i < sorted.length; i++) sorted[i] = column[order[i]];
      return sorted;
    };
    return {
      times: inOrder(this.times),
      seqs: inOrder(this.seqs),
      metrics: this.metrics.map((column) => withoutEmpty(column && inOrder(column))),
      customs: this.customColumns(order),
      ids: order ? Array.from(order, (row) => this.ids[row]) : this.ids,
    };
  }

  /** order is, row by row of what is sorted, the row that it was filled in as; null when they are in order already. */
  private order(): Uint32Array | null {
    const { times, seqs } = this;
    let isSorted = true;
    for (let i = 1; i < times.length && isSorted; i++) {
      isSorted = times[i] > times[i - 1] || (times[i] === times[i - 1] && seqs[i] >= seqs[i - 1]);
    }
    if (isSorted) return null;
    const order = Uint32Array.from({ length: times.length }, (_, i) => i);
    return order.sort((a, b) => times[a] - times[b] || seqs[a] - seqs[b]);
  }

  private customColumns(order: Uint32Array | null): Map<string, CustomEntries> {
    const places = order && new Uint32Array(order.length);
    if (places && order) for (let i = 0; i < order.length; i++) places[order[i]] = i;
    const entries = this.customs.map(({ row, values }) => ({ row: places ? places[row] : row, values }));
    if (places) entries.sort((a, b) => a.row - b.row);
    const columns = new Map<string, { rows: number[]; values: number[] }>();
    for (const { row, values } of entries) {
      for (const { name, value } of values) {
        const column = columns.get(name) ?? { rows: [], values: [] };
        columns.set(name, column);
        column.rows.push(row);
        column.values.push(value);
      }
    }
    return columns;
  }
}

function withoutEmpty(column: Float64Array | null): Float64Array | null {
  return column && column.some((value) => !Number.isNaN(value)) ? column : null;
}
