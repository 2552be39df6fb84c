/**
 * NewestHeap keeps the `capacity` newest of all points offered, by (time, seq) descending: a binary heap whose root is
 * the oldest kept one. Each point carries two numbers of the caller's (which chunk, which row).
 */
export class NewestHeap {
  private readonly times: Float64Array;
  private readonly seqs: Float64Array;
  private readonly sources: Uint32Array;
  private readonly rows: Uint32Array;
  private used = 0;

  constructor(private readonly capacity: number) {
    this.times = new Float64Array(capacity);
    this.seqs = new Float64Array(capacity);
    this.sources = new Uint32Array(capacity);
    this.rows = new Uint32Array(capacity);
  }

  get size(): number {
    return this.used;
  }

  get isFull(): boolean {
    return this.used === this.capacity;
  }

  /** floorMs is the time of the oldest kept point: once full, nothing older can come in. */
  get floorMs(): number {
    return this.isFull ? this.times[0] : -Infinity;
  }

  offer(time: number, seq: number, source: number, row: number): void {
    if (this.used < this.capacity) {
      this.siftUp(this.used++, time, seq, source, row);
    } else if (time > this.times[0] || (time === this.times[0] && seq > this.seqs[0])) {
      this.siftDown(0, time, seq, source, row);
    }
  }

  /** drain empties the heap and calls `take` for each point, newest first. */
  drain(take: (source: number, row: number) => void): void {
    const order = Array.from({ length: this.used }, (_, i) => i);
    order.sort((a, b) => this.times[b] - this.times[a] || this.seqs[b] - this.seqs[a]);
    for (const i of order) take(this.sources[i], this.rows[i]);
    this.used = 0;
  }

  private siftUp(from: number, time: number, seq: number, source: number, row: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isOlder(time, seq, parent)) break;
      this.move(parent, at);
      at = parent;
    }
    this.put(at, time, seq, source, row);
  }

  private siftDown(from: number, time: number, seq: number, source: number, row: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.used) break;
      if (child + 1 < this.used && this.isOlder(this.times[child + 1], this.seqs[child + 1], child)) child++;
      if (this.isOlder(time, seq, child)) break;
      this.move(child, at);
      at = child;
    }
    this.put(at, time, seq, source, row);
  }

  private isOlder(time: number, seq: number, than: number): boolean {
    return time < this.times[than] || (time === this.times[than] && seq < this.seqs[than]);
  }

  private move(from: number, to: number): void {
    this.put(to, this.times[from], this.seqs[from], this.sources[from], this.rows[from]);
  }

  private put(at: number, time: number, seq: number, source: number, row: number): void {
    this.times[at] = time;
    this.seqs[at] = seq;
    this.sources[at] = source;
    this.rows[at] = row;
  }
}
