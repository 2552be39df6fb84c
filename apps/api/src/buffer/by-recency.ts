/** Link is what an item needs to stand in a ByRecency. */
export interface Link<T> {
  older: T | null;
  newer: T | null;
}

/** ByRecency keeps items in the order in which they were last touched; each step takes the same short time. */
export class ByRecency<T extends Link<T>> {
  private first: T | null = null;
  private last: T | null = null;

  /** oldest is the item not touched for longest. */
  get oldest(): T | null {
    return this.first;
  }

  /** add takes a new item in, as the newest. */
  add(item: T): void {
    item.older = this.last;
    item.newer = null;
    if (this.last) this.last.newer = item;
    else this.first = item;
    this.last = item;
  }

  /** touch makes an item the newest. */
  touch(item: T): void {
    if (item === this.last) return;
    this.remove(item);
    this.add(item);
  }

  /** remove lets an item go. */
  remove(item: T): void {
    if (item.older) item.older.newer = item.newer;
    else this.first = item.newer;
    if (item.newer) item.newer.older = item.older;
    else this.last = item.older;
    item.older = null;
    item.newer = null;
  }
}
