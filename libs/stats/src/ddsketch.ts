import {
  addStoreBytes,
  encodeSketch,
  MAX_BINS,
  MIN_BINS,
  outlineSketch,
  type SketchOutline,
} from './ddsketch-codec.js';
import { LogMapping, MAX_ACCURACY, MIN_ACCURACY, MIN_INDEXABLE } from './ddsketch-mapping.js';
import { BinStore } from './ddsketch-store.js';
import { SketchFormatError } from './sketch-format-error.js';

/**
 * DDSketchOptions: `relativeAccuracy` from 0.0001 to 0.5 (default 0.01), and `maxBins` from 2 to 65,536 for each sign
 * (default 65,536: at 1% every float64 has its bin, and only bins that are used take memory).
 */
export interface DDSketchOptions {
  readonly relativeAccuracy?: number;
  readonly maxBins?: number;
}

/**
 * DDSketch estimates quantiles of a stream in bounded memory and merges without loss. An estimate is within
 * `relativeAccuracy` of the value at its rank as long as that value is at least 1e-12 from zero (closer counts as zero)
 * and was not collapsed: past `maxBins` indices below the largest magnitude of a sign, the smallest magnitudes of that
 * sign share one bin. Source: Masson, Rim and Lee, PVLDB 12(12), 2019.
 */
export class DDSketch {
  private readonly relativeAccuracy: number;
  private readonly maxBins: number;
  private readonly mapping: LogMapping;
  private positive: BinStore;
  private negative: BinStore;
  private zeroCount = 0;
  private total = 0;
  private totalSum = 0;
  private lowest = Infinity;
  private highest = -Infinity;

  /** Throws RangeError on options out of their ranges. */
  constructor({ relativeAccuracy = 0.01, maxBins = MAX_BINS }: DDSketchOptions = {}) {
    if (!(relativeAccuracy >= MIN_ACCURACY && relativeAccuracy <= MAX_ACCURACY)) {
      throw new RangeError(`relativeAccuracy is ${relativeAccuracy}; it goes from ${MIN_ACCURACY} to ${MAX_ACCURACY}`);
    }
    if (!Number.isInteger(maxBins) || maxBins < MIN_BINS || maxBins > MAX_BINS) {
      throw new RangeError(`maxBins is ${maxBins}; it is an integer from ${MIN_BINS} to ${MAX_BINS}`);
    }
    this.relativeAccuracy = relativeAccuracy;
    this.maxBins = maxBins;
    this.mapping = new LogMapping(relativeAccuracy);
    this.positive = new BinStore(maxBins);
    this.negative = new BinStore(maxBins);
  }

  /** fromBytes reads what toBytes wrote; throws SketchFormatError on anything else. */
  static fromBytes(bytes: Uint8Array): DDSketch {
    const outline = outlineSketch(bytes);
    const sketch = new DDSketch(outline);
    sketch.mergeOutlined(bytes, outline);
    return sketch;
  }

  /** count is the number of values added, exact. */
  get count(): number {
    return this.total;
  }

  /** sum is the sum of the values in float64 arithmetic, in the order they came; 0 when empty. */
  get sum(): number {
    return this.totalSum;
  }

  /** min is the smallest value added, exact; null when empty. */
  get min(): number | null {
    return this.total === 0 ? null : this.lowest;
  }

  /** max is the largest value added, exact; null when empty. */
  get max(): number | null {
    return this.total === 0 ? null : this.highest;
  }

  /** add counts a finite value, `count` (a positive integer) times; throws RangeError, also past 2^53 - 1 in all. */
  add(value: number, count: number = 1): void {
    if (!Number.isFinite(value)) throw new RangeError(`a sketch holds finite values, not ${value}`);
    if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`count is ${count}, not a positive integer`);
    this.countMore(count);
    if (value >= MIN_INDEXABLE) this.positive.add(this.mapping.index(value), count);
    else if (value <= -MIN_INDEXABLE) this.negative.add(this.mapping.index(-value), count);
    else this.zeroCount += count;
    this.totalSum += value * count;
    // + 0 turns -0 into 0, so that min and max do not depend on which of the two came first.
    if (value < this.lowest) this.lowest = value + 0;
    if (value > this.highest) this.highest = value + 0;
  }

  /** merge adds everything another sketch holds, in any order of merges; throws RangeError if the accuracies differ. */
  merge(other: DDSketch): void {
    this.requireSameAccuracy(other.relativeAccuracy);
    this.countMore(other.total);
    this.positive.merge(other.positive);
    this.negative.merge(other.negative);
    this.absorb(other.zeroCount, other.totalSum, other.lowest, other.highest);
  }

  /**
   * mergeBytes merges a sketch that toBytes wrote without building it. Throws SketchFormatError, or RangeError if the
   * accuracies differ or the counts pass 2^53 - 1; the sketch is then as it was.
   */
  mergeBytes(bytes: Uint8Array): void {
    const outline = outlineSketch(bytes);
    this.requireSameAccuracy(outline.relativeAccuracy);
    this.mergeOutlined(bytes, outline);
  }

  /**
   * quantile estimates the smallest value that at least the share q of all values do not exceed (the nearest rank,
   * type 1 of Hyndman and Fan, The American Statistician 50(4), 1996), for q in [0, 1]; exact at the first and the last
   * rank. The p95 of two values is so the larger: a lower rank would hide the slow one. Null when empty; RangeError on any other q.
   */
  quantile(q: number): number | null {
    if (!(q >= 0 && q <= 1)) throw new RangeError(`q is ${q}; it goes from 0 to 1`);
    if (this.total === 0) return null;
    // 0.07 * 100 is a little more than 7 in a double: what is that close to a rank is that rank.
    const rank = Math.max(0, Math.ceil(q * this.total * (1 - 1e-12)) - 1);
    if (rank === 0) return this.lowest;
    if (rank >= this.total - 1) return this.highest;
    return Math.min(Math.max(this.valueAt(rank), this.lowest), this.highest);
  }

  /** toBytes writes the sketch in a compact, versioned form: about 40 bytes and one or two for each bin. */
  toBytes(): Uint8Array {
    return encodeSketch({
      relativeAccuracy: this.relativeAccuracy,
      maxBins: this.maxBins,
      zeroCount: this.zeroCount,
      sum: this.totalSum,
      min: this.lowest,
      max: this.highest,
      positive: this.positive,
      negative: this.negative,
    });
  }

  /** clone is a sketch of the same content and options that shares nothing with this one. */
  clone(): DDSketch {
    const copy = new DDSketch({ relativeAccuracy: this.relativeAccuracy, maxBins: this.maxBins });
    copy.positive = this.positive.clone();
    copy.negative = this.negative.clone();
    copy.total = this.total;
    copy.absorb(this.zeroCount, this.totalSum, this.lowest, this.highest);
    return copy;
  }

  private mergeOutlined(bytes: Uint8Array, outline: SketchOutline): void {
    if (outline.lowIndex < this.mapping.minIndex || outline.highIndex > this.mapping.maxIndex) {
      throw new SketchFormatError('corrupt', 'a bin is beyond the float64 numbers');
    }
    this.countMore(outline.count);
    addStoreBytes(bytes, outline.positiveAt, this.positive);
    addStoreBytes(bytes, outline.negativeAt, this.negative);
    this.absorb(outline.zeroCount, outline.sum, outline.min, outline.max);
  }

  private countMore(count: number): void {
    const total = this.total + count;
    if (total > Number.MAX_SAFE_INTEGER) throw new RangeError('a sketch counts to 2^53 - 1');
    this.total = total;
  }

  private absorb(zeroCount: number, sum: number, min: number, max: number): void {
    this.zeroCount += zeroCount;
    this.totalSum += sum;
    if (min < this.lowest) this.lowest = min + 0;
    if (max > this.highest) this.highest = max + 0;
  }

  private requireSameAccuracy(relativeAccuracy: number): void {
    if (relativeAccuracy === this.relativeAccuracy) return;
    throw new RangeError(`an accuracy of ${relativeAccuracy} does not merge into one of ${this.relativeAccuracy}`);
  }

  /** valueAt walks the bins upwards from the most negative; the first whose running count passes the rank holds it. */
  private valueAt(rank: number): number {
    let seen = 0;
    for (let index = this.negative.high; index >= this.negative.low; index--) {
      seen += this.negative.at(index);
      if (seen > rank) return 0 - this.mapping.value(index);
    }
    seen += this.zeroCount;
    if (seen > rank) return 0;
    for (let index = this.positive.low; index <= this.positive.high; index++) {
      seen += this.positive.at(index);
      if (seen > rank) return this.mapping.value(index);
    }
    return this.highest;
  }
}
