/** KindSpec tells a log what it has to know of its items. */
export interface KindSpec<T> {
  readonly modelOf: (item: T) => string;
  /** The sequence number of a point among points; 0 for items that no snapshot holds. */
  readonly pointSeqOf: (item: T) => number;
  /** About how many bytes the item takes, from its parts, without serialising it. */
  readonly bytesOf: (item: T) => number;
  readonly toWire: (item: T) => unknown;
}

interface Slot<T> {
  readonly seq: number;
  readonly model: string;
  readonly pointSeq: number;
  readonly bytes: number;
  /** Let go of once the text is made. */
  item: T | null;
  text: string;
}

/**
 * KindLog keeps the newest items of one kind in the order of their sequence numbers, bounded by number and bytes.
 * An item becomes JSON when it is first asked for and is then kept as such: once for all clients, never for none.
 */
export class KindLog<T> {
  private slots: Slot<T>[] = [];
  private first = 0;
  private bytes = 0;
  private gone = 0;
  private floor = 0;

  constructor(
    private readonly spec: KindSpec<T>,
    private readonly bounds: { readonly keepItems: number; readonly keepBytes: number },
  ) {}

  /** length is the number of items held. */
  get length(): number {
    return this.slots.length - this.first;
  }

  /** floorSeq is the sequence number of the newest item that is no longer held; 0 when all are. */
  get floorSeq(): number {
    return this.floor;
  }

  /** evicted counts the items that were here and are no longer held. */
  get evicted(): number {
    return this.gone;
  }

  /** push takes an item in and lets the oldest go where there is no room. */
  push(seq: number, item: T): void {
    const { spec } = this;
    const slot = {
      seq,
      model: spec.modelOf(item),
      pointSeq: spec.pointSeqOf(item),
      bytes: spec.bytesOf(item),
      item,
      text: '',
    };
    this.slots.push(slot);
    this.bytes += slot.bytes;
    while (this.length > this.bounds.keepItems || (this.bytes > this.bounds.keepBytes && this.length > 1)) this.evict();
    if (this.first > this.bounds.keepItems) this.compact();
  }

  /** pass counts items that are not kept, of which the last has this sequence number. */
  pass(count: number, lastSeq: number): void {
    this.clear();
    this.gone += count;
    this.floor = lastSeq;
  }

  /** clear lets all items go. */
  clear(): void {
    if (this.length === 0) return;
    this.gone += this.length;
    this.floor = this.seqAt(this.length - 1);
    this.slots = [];
    this.first = 0;
    this.bytes = 0;
  }

  /** firstAfter is the index of the oldest item held with a higher sequence number; `length` when there is none. */
  firstAfter(seq: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.seqAt(middle) > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  seqAt(index: number): number {
    return this.slot(index).seq;
  }

  modelAt(index: number): string {
    return this.slot(index).model;
  }

  pointSeqAt(index: number): number {
    return this.slot(index).pointSeq;
  }

  /** textAt is the item as JSON. */
  textAt(index: number): string {
    const slot = this.slot(index);
    if (slot.item !== null) {
      slot.text = JSON.stringify(this.spec.toWire(slot.item));
      slot.item = null;
    }
    return slot.text;
  }

  private slot(index: number): Slot<T> {
    const slot = this.slots[this.first + index];
    if (!slot) throw new RangeError(`the log holds ${this.length} items, not one at ${index}`);
    return slot;
  }

  private evict(): void {
    const slot = this.slot(0);
    this.bytes -= slot.bytes;
    this.floor = slot.seq;
    this.gone++;
    this.first++;
  }

  /** Slots that went stay in the array until there are as many as the log may hold: moving then costs little an item. */
  private compact(): void {
    this.slots = this.slots.slice(this.first);
    this.first = 0;
  }
}
