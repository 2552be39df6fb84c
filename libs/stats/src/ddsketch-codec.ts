import { ByteCursor, ByteWriter } from './byte-cursor.js';
import { MAX_ACCURACY, MIN_ACCURACY } from './ddsketch-mapping.js';
import type { BinStore } from './ddsketch-store.js';
import { SketchFormatError } from './sketch-format-error.js';

/*
 * Version 1, little end first:
 *   byte version | f64 accuracy | f64 sum | f64 min | f64 max | varint maxBins | varint zeroCount | store + | store -
 *   store: varint runs (0 = empty) [ signed lowest index | varint span | runs, parted by "varint empty bins" ]
 *   run:   varint bins | per bin: signed difference to the count before it (0 before the first of the store)
 * A run may hold zero counts, where leaving one would take more bytes; the first and the last bin of a store do not.
 */
const VERSION = 1;
const ZEROS_THAT_END_A_RUN = 3;

/** MAX_BINS is the largest `maxBins` of a sketch, 65,536: at an accuracy of 1% nothing ever collapses under it. */
export const MAX_BINS = 65_536;

/** MIN_BINS is the smallest `maxBins` of a sketch. */
export const MIN_BINS = 2;

/** SketchState is everything a sketch is made of; min and max are +Infinity and -Infinity while it is empty. */
export interface SketchState {
  readonly relativeAccuracy: number;
  readonly maxBins: number;
  readonly zeroCount: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly positive: BinStore;
  readonly negative: BinStore;
}

/** SketchOutline is what one checking pass over serialised bytes learns: the totals, and where the stores begin. */
export interface SketchOutline {
  readonly relativeAccuracy: number;
  readonly maxBins: number;
  readonly count: number;
  readonly zeroCount: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** lowIndex and highIndex bound the bins of both stores; lowIndex > highIndex when neither has any. */
  readonly lowIndex: number;
  readonly highIndex: number;
  readonly positiveAt: number;
  readonly negativeAt: number;
}

/** encodeSketch writes a sketch in the current version; equal content gives equal bytes. */
export function encodeSketch(state: SketchState): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(VERSION);
  for (const number of [state.relativeAccuracy, state.sum, state.min, state.max]) writer.float64(number);
  writer.varint(state.maxBins);
  writer.varint(state.zeroCount);
  writeStore(writer, state.positive);
  writeStore(writer, state.negative);
  return writer.take();
}

/**
 * outlineSketch checks bytes from end to end in time proportional to their length, without allocating for what they
 * claim; throws SketchFormatError. The caller still has to hold lowIndex and highIndex against its mapping.
 */
export function outlineSketch(bytes: Uint8Array): SketchOutline {
  const cursor = new ByteCursor(bytes, 0);
  const version = cursor.byte();
  if (version !== VERSION) throw new SketchFormatError('unknown_version', `version ${version}, ${VERSION} is known`);
  const relativeAccuracy = cursor.float64();
  const sum = cursor.float64();
  const min = cursor.float64();
  const max = cursor.float64();
  const maxBins = cursor.varint();
  const zeroCount = cursor.varint();
  const positiveAt = cursor.at;
  const positive = checkStore(cursor);
  const negativeAt = cursor.at;
  const negative = checkStore(cursor);
  const count = zeroCount + positive.total + negative.total;
  if (cursor.at !== bytes.length) throw corrupt('bytes follow its end');
  if (!(relativeAccuracy >= MIN_ACCURACY && relativeAccuracy <= MAX_ACCURACY)) throw corrupt('its accuracy');
  if (maxBins < MIN_BINS || maxBins > MAX_BINS) throw corrupt('its limit of bins');
  if (count > Number.MAX_SAFE_INTEGER) throw corrupt('its count is too large');
  if (count === 0 ? sum !== 0 || min !== Infinity || max !== -Infinity : !isRange(min, max)) {
    throw corrupt('its sum, minimum and maximum do not fit its count');
  }
  const lowIndex = Math.min(positive.low, negative.low);
  const highIndex = Math.max(positive.high, negative.high);
  return { relativeAccuracy, maxBins, count, zeroCount, sum, min, max, lowIndex, highIndex, positiveAt, negativeAt };
}

/** addStoreBytes adds the store that begins at `at` of bytes that outlineSketch has passed. */
export function addStoreBytes(bytes: Uint8Array, at: number, store: BinStore): void {
  const cursor = new ByteCursor(bytes, at);
  const runs = cursor.varint();
  if (runs === 0) return;
  let index = cursor.signed();
  store.reserve(index, index + cursor.varint() - 1);
  let count = 0;
  for (let run = 0; run < runs; run++) {
    if (run > 0) index += cursor.varint();
    for (const end = index + cursor.varint(); index < end; index++) {
      count += cursor.signed();
      store.addReserved(index, count);
    }
  }
}

interface StoreOutline {
  readonly total: number;
  readonly low: number;
  readonly high: number;
}

function checkStore(cursor: ByteCursor): StoreOutline {
  const runs = cursor.varint();
  if (runs === 0) return { total: 0, low: Infinity, high: -Infinity };
  const low = cursor.signed();
  const end = low + cursor.varint();
  let total = 0;
  let count = 0;
  let index = low;
  for (let run = 0; run < runs; run++) {
    if (run > 0) index += cursor.varint();
    const bins = cursor.varint();
    if (bins === 0 || bins > end - index) throw corrupt('its bins and its span differ');
    for (let bin = 0; bin < bins; bin++) {
      count += cursor.signed();
      if (count < 0) throw corrupt('a bin has a negative count');
      total += count;
      if (count === 0 && run === 0 && bin === 0) throw corrupt('its first bin is empty');
    }
    index += bins;
  }
  if (index !== end) throw corrupt('its bins and its span differ');
  if (count === 0) throw corrupt('its last bin is empty');
  return { total, low, high: end - 1 };
}

function writeStore(writer: ByteWriter, store: BinStore): void {
  const runs = runsOf(store);
  writer.varint(runs.length);
  if (runs.length === 0) return;
  writer.signed(store.low);
  writer.varint(store.high - store.low + 1);
  let before = 0;
  let end = store.low;
  for (const run of runs) {
    if (run.from > store.low) writer.varint(run.from - end);
    writer.varint(run.to - run.from + 1);
    for (let index = run.from; index <= run.to; index++) {
      writer.signed(store.at(index) - before);
      before = store.at(index);
    }
    end = run.to + 1;
  }
}

function runsOf(store: BinStore): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  let last: { from: number; to: number } | undefined;
  for (let index = store.low; index <= store.high; index++) {
    if (store.at(index) === 0) continue;
    if (last !== undefined && index - last.to <= ZEROS_THAT_END_A_RUN) last.to = index;
    else runs.push((last = { from: index, to: index }));
  }
  return runs;
}

function isRange(min: number, max: number): boolean {
  return Number.isFinite(min) && Number.isFinite(max) && min <= max;
}

function corrupt(what: string): SketchFormatError {
  return new SketchFormatError('corrupt', what);
}
