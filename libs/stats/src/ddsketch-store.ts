const FIRST_CAPACITY = 16;

/**
 * BinStore keeps integer counts by bin index in one dense Float64Array (integers are exact up to 2^53) that starts small
 * and doubles. It spans at most `maxBins` indices below the highest one: what falls lower is counted in the lowest
 * kept bin. The floor depends on the highest index alone, so the content does not depend on the order of adds and
 * merges between stores of the same `maxBins`.
 */
export class BinStore {
  /** low and high are the lowest and the highest index in use; low > high while the store is empty. */
  low = 0;
  high = -1;
  private counts = new Float64Array(0);
  private offset = 0;

  constructor(private readonly maxBins: number) {}

  get isEmpty(): boolean {
    return this.low > this.high;
  }

  /** at is the count of a bin between low and high. */
  at(index: number): number {
    return this.counts[index - this.offset];
  }

  add(index: number, count: number): void {
    if (index < this.low || index > this.high) this.reserve(index, index);
    this.addReserved(index, count);
  }

  /** addReserved adds to a bin inside a range given to `reserve` before; bins below the floor land in the lowest. */
  addReserved(index: number, count: number): void {
    this.counts[(index < this.low ? this.low : index) - this.offset] += count;
  }

  merge(other: BinStore): void {
    if (other.isEmpty) return;
    const { low, high } = other;
    this.reserve(low, high);
    for (let index = low; index <= high; index++) this.addReserved(index, other.at(index));
  }

  /** reserve makes room for the bins from..to, both of which the caller is about to fill. */
  reserve(from: number, to: number): void {
    const wasEmpty = this.isEmpty;
    const high = wasEmpty ? to : Math.max(this.high, to);
    const low = Math.max(wasEmpty ? from : Math.min(this.low, from), high - this.maxBins + 1);
    if (low < this.offset || high >= this.offset + this.counts.length) this.move(low, high);
    this.low = low;
    this.high = high;
  }

  clone(): BinStore {
    const copy = new BinStore(this.maxBins);
    copy.low = this.low;
    copy.high = this.high;
    copy.counts = this.counts.slice();
    copy.offset = this.offset;
    return copy;
  }

  /**
   * move reallocates for low..high with the spare room split over both ends, and carries the counts over, those below
   * `low` into `low`. The capacity never passes maxBins, so a floor that rises always comes through here.
   */
  private move(low: number, high: number): void {
    const span = high - low + 1;
    const doubled = Math.max(FIRST_CAPACITY, span, Math.min(2 * this.counts.length, 2 * span));
    const capacity = Math.max(span, Math.min(doubled, this.maxBins));
    const offset = low - ((capacity - span) >> 1);
    const counts = new Float64Array(capacity);
    for (let index = this.low; index <= this.high; index++) counts[Math.max(index, low) - offset] += this.at(index);
    this.counts = counts;
    this.offset = offset;
  }
}
