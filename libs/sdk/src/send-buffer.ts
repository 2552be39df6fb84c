/** Sized is anything that knows about how many bytes it will take on the wire. */
export interface Sized {
  readonly bytes: number;
}

/**
 * SendBuffer is a ring of preallocated slots, bounded by items and bytes, that drops the oldest to take the newest.
 * Positions only grow: the item at `head` leaves next, the next one pushed is at `tail`.
 */
export class SendBuffer<T extends Sized> {
  readonly #slots: (T | undefined)[];
  readonly #maxBytes: number;
  #first = 0;
  #size = 0;
  #bytes = 0;
  #head = 0;

  constructor(maxItems: number, maxBytes: number) {
    this.#slots = new Array<T | undefined>(maxItems).fill(undefined);
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get head(): number {
    return this.#head;
  }

  get tail(): number {
    return this.#head + this.#size;
  }

  /** push takes `item` and answers how many older ones it cost; an item larger than the whole buffer is still taken. */
  push(item: T): number {
    let lost = 0;
    while (this.#size > 0 && (this.#size === this.#slots.length || this.#bytes + item.bytes > this.#maxBytes)) {
      this.shift();
      lost++;
    }
    let slot = this.#first + this.#size;
    if (slot >= this.#slots.length) slot -= this.#slots.length;
    this.#slots[slot] = item;
    this.#size++;
    this.#bytes += item.bytes;
    return lost;
  }

  /** peek answers the oldest item and leaves it. */
  peek(): T | undefined {
    return this.#slots[this.#first];
  }

  /** shift takes the oldest item out. */
  shift(): T | undefined {
    const item = this.#slots[this.#first];
    if (item === undefined) return undefined;
    this.#slots[this.#first] = undefined;
    this.#first = this.#first + 1 === this.#slots.length ? 0 : this.#first + 1;
    this.#size--;
    this.#head++;
    this.#bytes -= item.bytes;
    return item;
  }

  /** clear empties the buffer and answers how many items were in it. */
  clear(): number {
    const size = this.#size;
    while (this.shift() !== undefined);
    return size;
  }
}
