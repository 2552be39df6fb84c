import { DDSketch } from '@tidemark/stats';

/** StoredTally is a tally as it lies in a rollup. `sketch` is empty when all values were equal. */
export interface StoredTally {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly sketch: Uint8Array;
}

/**
 * Tally sums up values of one metric: count, sum, min and max exactly, quantiles (when asked for) to 1%. It makes a
 * sketch only for the second different value: many metrics are one number all day.
 */
export class Tally {
  count = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  private sketch: DDSketch | null = null;

  constructor(private readonly hasQuantiles: boolean) {}

  /** addColumn adds the values from..to-1 of a column; absent (NaN) and infinite ones are passed over. */
  addColumn(values: Float64Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const value = values[i];
      if (value - value === 0) this.add(value);
    }
  }

  merge(other: Tally): void {
    if (other.count === 0) return;
    if (this.hasQuantiles) {
      // A copy is several times cheaper than growing an empty sketch bin by bin.
      if (other.sketch && this.count === 0) this.sketch = other.sketch.clone();
      else if (other.sketch) this.ownSketch().merge(other.sketch);
      else this.sketchEqual(other.min, other.count);
    }
    this.absorb(other);
  }

  /** mergeStored adds a tally of a rollup. */
  mergeStored(stored: StoredTally): void {
    if (stored.count === 0) return;
    if (this.hasQuantiles) {
      if (stored.sketch.length > 0) this.ownSketch().mergeBytes(stored.sketch);
      else this.sketchEqual(stored.min, stored.count);
    }
    this.absorb(stored);
  }

  /** quantile is null when the tally is empty or keeps none. */
  quantile(q: number): number | null {
    if (this.count === 0 || !this.hasQuantiles) return null;
    return this.sketch ? this.sketch.quantile(q) : this.min;
  }

  /** store gives what a rollup keeps. */
  store(): StoredTally {
    const { count, sum, min, max } = this;
    return { count, sum, min, max, sketch: this.sketch?.toBytes() ?? new Uint8Array(0) };
  }

  private add(value: number): void {
    if (this.hasQuantiles) {
      if (this.sketch) this.sketch.add(value);
      else this.sketchEqual(value, 1);
    }
    this.count++;
    this.sum += value;
    // + 0 turns -0 into 0, so that which of the two came first does not show.
    if (value < this.min) this.min = value + 0;
    if (value > this.max) this.max = value + 0;
  }

  private absorb(other: Omit<StoredTally, 'sketch'>): void {
    this.count += other.count;
    this.sum += other.sum;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
  }

  /** sketchEqual adds `count` times a value before `count` and `min` are brought up to date. */
  private sketchEqual(value: number, count: number): void {
    if (this.sketch === null && (this.count === 0 || (this.min === value && this.max === value))) return;
    this.ownSketch().add(value, count);
  }

  /** ownSketch makes the sketch on first need, of the equal values so far. */
  private ownSketch(): DDSketch {
    if (this.sketch) return this.sketch;
    this.sketch = new DDSketch();
    if (this.count > 0) this.sketch.add(this.min, this.count);
    return this.sketch;
  }
}
