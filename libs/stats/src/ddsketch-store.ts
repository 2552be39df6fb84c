const PAGE_BITS = 7;
const PAGE_BINS = 1 << PAGE_BITS;
const IN_PAGE = PAGE_BINS - 1;
const NO_PAGE: number[] = [];

/**
 * BinStore keeps integer counts by bin index in pages of 128 (integers are exact up to 2^53), of which only
 * those exist that are used: values far apart, such as durations and a sentinel of 1e300, take two, not all between.
 * It spans at most `maxBins` indices below the highest one: what falls lower is counted in the lowest kept bin. The
 * floor depends on the highest index alone, so the content does not depend on the order of adds and merges between
 * stores of the same `maxBins`.
 */
export class BinStore {
  /** low and high are the lowest and the highest index in use; low > high while the store is empty. */
  low = 0;
  high = -1;
  private pages: (number[] | undefined)[] = [];
  /** The number of the page at pages[0]; bin i is in page i >> PAGE_BITS. */
  private firstPage = 0;
  /** The page that was added to last: neighbours mostly follow each other. */
  private lastPage: number[] = NO_PAGE;
  private lastNumber = NaN;

  constructor(private readonly maxBins: number) {}

  get isEmpty(): boolean {
    return this.low > this.high;
  }

  /** at is the count of a bin between low and high. */
  at(index: number): number {
    const page = this.pages[(index >> PAGE_BITS) - this.firstPage];
    return page === undefined ? 0 : page[index & IN_PAGE];
  }

  add(index: number, count: number): void {
    if (index < this.low || index > this.high) this.reserve(index, index);
    this.addReserved(index, count);
  }

  /** addReserved adds to a bin inside a range given to `reserve` before; bins below the floor land in the lowest. */
  addReserved(index: number, count: number): void {
    const bin = index < this.low ? this.low : index;
    if (bin >> PAGE_BITS !== this.lastNumber) {
      this.lastNumber = bin >> PAGE_BITS;
      this.lastPage = this.pages[this.lastNumber - this.firstPage] ?? this.addPage(this.lastNumber);
    }
    this.lastPage[bin & IN_PAGE] += count;
  }

  merge(other: BinStore): void {
    if (other.isEmpty) return;
    this.reserve(other.low, other.high);
    other.pages.forEach((page, i) => {
      if (page === undefined) return;
      const first = (other.firstPage + i) * PAGE_BINS;
      for (let bin = 0; bin < PAGE_BINS; bin++) if (page[bin] > 0) this.addReserved(first + bin, page[bin]);
    });
  }

  /** reserve makes the store span the bins from..to, both of which the caller is about to fill. */
  reserve(from: number, to: number): void {
    const wasEmpty = this.isEmpty;
    const high = wasEmpty ? to : Math.max(this.high, to);
    const low = Math.max(wasEmpty ? from : Math.min(this.low, from), high - this.maxBins + 1);
    const collapsed = low > this.low && !wasEmpty ? this.takeBelow(low) : 0;
    this.low = low;
    this.high = high;
    if (collapsed > 0) this.addReserved(low, collapsed);
  }

  clone(): BinStore {
    const copy = new BinStore(this.maxBins);
    copy.low = this.low;
    copy.high = this.high;
    copy.pages = this.pages.map((page) => page?.slice());
    copy.firstPage = this.firstPage;
    return copy;
  }

  private addPage(number: number): number[] {
    if (this.pages.length === 0) this.firstPage = number;
    else if (number < this.firstPage) {
      this.pages = [...new Array<undefined>(this.firstPage - number), ...this.pages];
      this.firstPage = number;
    }
    const page = new Array<number>(PAGE_BINS).fill(0);
    while (this.pages.length < number - this.firstPage) this.pages.push(undefined);
    this.pages[number - this.firstPage] = page;
    return page;
  }

  /** takeBelow takes out all counts below a bin and returns their sum. */
  private takeBelow(low: number): number {
    let sum = 0;
    for (let index = this.low; index < low && index <= this.high; index++) {
      const page = this.pages[(index >> PAGE_BITS) - this.firstPage];
      if (page === undefined) continue;
      sum += page[index & IN_PAGE];
      page[index & IN_PAGE] = 0;
    }
    return sum;
  }
}
