/** Past so many intervals the oldest gaps are closed, so that a set stays small whatever happens. */
const MAX_INTERVALS = 1000;

/** IntervalSet is a set of whole numbers, kept as ascending intervals: cheap as long as they lie close together. */
export class IntervalSet {
  private readonly lows: number[] = [];
  private readonly highs: number[] = [];

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
    if (this.lows.length > MAX_INTERVALS) this.closeOldestGap();
  }

  addAll(other: IntervalSet): void {
    for (const [low, high] of other.intervals()) this.add(low, high);
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

  private closeOldestGap(): void {
    this.highs[0] = this.highs[1];
    this.lows.splice(1, 1);
    this.highs.splice(1, 1);
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
