import { IntervalSet } from './interval-set.js';

/** SeqSets is a set of points, known by the writer that numbered them and their sequence number. */
export class SeqSets {
  private readonly sets = new Map<number, IntervalSet>();

  /** parse reads what toString wrote: "0:1-5,9;3:7". Throws TypeError. */
  static parse(text: string): SeqSets {
    const sets = new SeqSets();
    for (const part of text === '' ? [] : text.split(';')) {
      const [writer, intervals = ''] = part.split(':');
      sets.of(Number(writer)).addAll(IntervalSet.parse(intervals));
    }
    return sets;
  }

  get highest(): number {
    return Math.max(-Infinity, ...[...this.sets.values()].map((set) => set.highest));
  }

  get isEmpty(): boolean {
    return [...this.sets.values()].every((set) => set.isEmpty);
  }

  /** size is how many points it holds. */
  get size(): number {
    return [...this.sets.values()].reduce((sum, set) => sum + set.size, 0);
  }

  has(writer: number, seq: number): boolean {
    return this.sets.get(writer)?.has(seq) ?? false;
  }

  /** of is the set of one writer, made when there is none. */
  of(writer: number): IntervalSet {
    let set = this.sets.get(writer);
    if (!set) this.sets.set(writer, (set = new IntervalSet()));
    return set;
  }

  /** ofExisting is the set of one writer, or null. */
  ofExisting(writer: number): IntervalSet | null {
    return this.sets.get(writer) ?? null;
  }

  addAll(other: SeqSets): void {
    for (const [writer, set] of other.sets) this.of(writer).addAll(set);
  }

  /** bounded is a set that is small enough to be kept; see IntervalSet. */
  bounded(): SeqSets {
    const bounded = new SeqSets();
    for (const [writer, set] of this.sets) bounded.sets.set(writer, set.bounded());
    return bounded;
  }

  writers(): IterableIterator<[number, IntervalSet]> {
    return this.sets.entries();
  }

  toString(): string {
    return [...this.sets].map(([writer, set]) => `${writer}:${set.toString()}`).join(';');
  }
}
