/** What is kept as text has so many intervals at most: InfluxDB takes texts of up to 64 KB. */
const MAX_KEPT = 1000;
/** More than so many intervals are merged in one go, as each that is put between others moves all behind it. */
const FEW = 16;

/** IntervalSet is a set of whole numbers, kept as ascending intervals: cheap as long as they lie close together. */
export class IntervalSet {
  private lows: number[] = [];
  private highs: number[] = [];

  /** of holds these numbers, which may come in any order and more than once. */
  static of(values: readonly number[]): IntervalSet {
    const set = new IntervalSet();
    for (const value of Float64Array.from(values).sort()) if (value > set.highest) set.add(value);
    return set;
  }

  /** parse reads what toString wrote: "1-5,9". Throws TypeError. */
  static parse(text: string): IntervalSet {
    const set = new IntervalSet();
    if (text === '') return set;
    for (const part of text.split(',')) {
      const [low, high = low] = part.split('-').map(Number);
      if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high)) throw new TypeError(`"${part}" is no interval`);
      set.add(low, high);
    }
    return set;
  }

  get isEmpty(): boolean {
    return this.lows.length === 0;
  }

  /** lowest is Infinity and highest -Infinity in an empty set. */
  get lowest(): number {
    return this.lows[0] ?? Infinity;
  }

  get highest(): number {
    return this.highs[this.highs.length - 1] ?? -Infinity;
  }

  /** size is how many numbers it holds. */
  get size(): number {
    return this.lows.reduce((sum, low, i) => sum + this.highs[i] - low + 1, 0);
  }

  has(value: number): boolean {
    const at = this.placeOf(value);
    return at < this.lows.length && this.lows[at] <= value;
  }

  /** add adds the numbers low..high. */
  add(low: number, high: number = low): void {
    const last = this.highs.length - 1;
    if (last >= 0 && low === this.highs[last] + 1) {
      this.highs[last] = high;
      return;
    }
    if (low > this.highest) {
      this.lows.push(low);
      this.highs.push(high);
    } else {
      this.insert(low, high);
    }
  }

  addAll(other: IntervalSet): void {
    if (other.lows.length <= FEW) {
      for (const [low, high] of other.intervals()) this.add(low, high);
      return;
    }
    const merged = new IntervalSet();
    let [i, j] = [0, 0];
    while (i < this.lows.length || j < other.lows.length) {
      const isOwn = j >= other.lows.length || (i < this.lows.length && this.lows[i] <= other.lows[j]);
      if (isOwn) merged.append(this.lows[i], this.highs[i++]);
      else merged.append(other.lows[j], other.highs[j++]);
    }
    [this.lows, this.highs] = [merged.lows, merged.highs];
  }

  /** endOf is the last number of the interval that holds a value, startOf its first; null where it is not held. */
  endOf(value: number): number | null {
    return this.has(value) ? this.highs[this.placeOf(value)] : null;
  }

  startOf(value: number): number | null {
    return this.has(value) ? this.lows[this.placeOf(value)] : null;
  }

  /** bounded is a set that is small enough to be kept: past the bound it also holds what lies in the oldest gaps. */
  bounded(): IntervalSet {
    const closed = this.lows.length - MAX_KEPT;
    if (closed <= 0) return this;
    const set = new IntervalSet();
    set.lows = [this.lows[0], ...this.lows.slice(closed + 1)];
    set.highs = this.highs.slice(closed);
    return set;
  }

  *intervals(): IterableIterator<readonly [low: number, high: number]> {
    for (let i = 0; i < this.lows.length; i++) yield [this.lows[i], this.highs[i]];
  }

  /** with is a set of its own that also holds low..high. */
  with(low: number, high: number = low): IntervalSet {
    const copy = new IntervalSet();
    copy.addAll(this);
    copy.add(low, high);
    return copy;
  }

  toString(): string {
    return [...this.intervals()].map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`)).join(',');
  }

  private insert(low: number, high: number): void {
    const from = this.placeOf(low - 1);
    let to = from;
    while (to < this.lows.length && this.lows[to] <= high + 1) to++;
    const joinedLow = to > from ? Math.min(low, this.lows[from]) : low;
    const joinedHigh = to > from ? Math.max(high, this.highs[to - 1]) : high;
    this.lows.splice(from, to - from, joinedLow);
    this.highs.splice(from, to - from, joinedHigh);
  }

  /** append adds an interval that begins no earlier than the last one does. */
  private append(low: number, high: number): void {
    const last = this.highs.length - 1;
    if (last >= 0 && low <= this.highs[last] + 1) this.highs[last] = Math.max(this.highs[last], high);
    else {
      this.lows.push(low);
      this.highs.push(high);
    }
  }

  /** placeOf is the first interval that ends at or after a value. */
  private placeOf(value: number): number {
    let low = 0;
    let high = this.highs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.highs[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
