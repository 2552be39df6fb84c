import type { Chunk } from './chunk.js';
import { METRICS } from './chunk-layout.js';

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
  const places = placesOf(sources);
  const { count } = places;
  const times = pick(sources, places, (chunk) => chunk.times()) ?? new Float64Array(count);
  const seqs = pick(sources, places, (chunk) => chunk.seqs()) ?? new Float64Array(count);
  sortPlaces(places, times, seqs);
  const customs = new Map<string, { rows: number[]; values: number[] }>();
  const ids: string[] = new Array<string>(count);
  for (let i = 0; i < count; i++) {
    const { chunk } = sources[places.sources[i]];
    ids[i] = chunk.requestId(places.rows[i]);
    for (const { name, value } of chunk.customsAt(places.rows[i])) {
      const entries = customs.get(name) ?? { rows: [], values: [] };
      customs.set(name, entries);
      entries.rows.push(i);
      entries.values.push(value);
    }
  }
  const metrics = METRICS.map((_, metric) => withoutEmpty(pick(sources, places, (chunk) => chunk.builtIn(metric))));
  return { times, seqs, metrics, customs, ids };
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

/** Places say where each gathered point comes from. */
interface Places {
  readonly count: number;
  sources: Uint32Array;
  rows: Uint32Array;
}

function placesOf(sources: readonly PointSource[]): Places {
  const count = sources.reduce((sum, { chunk, rows }) => sum + (rows?.length ?? chunk.count), 0);
  const places: Places = { count, sources: new Uint32Array(count), rows: new Uint32Array(count) };
  let at = 0;
  sources.forEach(({ chunk, rows }, source) => {
    const length = rows?.length ?? chunk.count;
    for (let i = 0; i < length; i++) {
      places.sources[at] = source;
      places.rows[at++] = rows ? rows[i] : i;
    }
  });
  return places;
}

/** sortPlaces sorts the places, and times and seqs along with them; mostly they are in order already. */
function sortPlaces(places: Places, times: Float64Array, seqs: Float64Array): void {
  let isSorted = true;
  for (let i = 1; i < places.count && isSorted; i++) {
    isSorted = times[i] > times[i - 1] || (times[i] === times[i - 1] && seqs[i] >= seqs[i - 1]);
  }
  if (isSorted) return;
  const order = Uint32Array.from({ length: places.count }, (_, i) => i);
  order.sort((a, b) => times[a] - times[b] || seqs[a] - seqs[b]);
  const { sources, rows } = places;
  places.sources = order.map((i) => sources[i]);
  places.rows = order.map((i) => rows[i]);
  times.set(Float64Array.from(order, (i) => times[i]));
  seqs.set(Float64Array.from(order, (i) => seqs[i]));
}

function pick(
  sources: readonly PointSource[],
  places: Places,
  columnOf: (chunk: Chunk) => Float64Array | null,
): Float64Array | null {
  const columns = sources.map(({ chunk }) => columnOf(chunk));
  if (columns.every((column) => column === null)) return null;
  const picked = new Float64Array(places.count);
  for (let i = 0; i < picked.length; i++) picked[i] = columns[places.sources[i]]?.[places.rows[i]] ?? NaN;
  return picked;
}

function withoutEmpty(column: Float64Array | null): Float64Array | null {
  return column && column.some((value) => !Number.isNaN(value)) ? column : null;
}
