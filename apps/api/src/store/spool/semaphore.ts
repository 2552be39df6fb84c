/** Semaphore lets so many asynchronous pieces of work run at a time, and has the others wait in the order of asking. */
export class Semaphore {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly places: number) {
    this.free = places;
  }

  /** run runs the work when a place is free, and answers what it answers. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /** runAlone runs the work when all that was asked before has ended, well or not; what is asked later waits for it. */
  async runAlone<T>(work: () => Promise<T>): Promise<T> {
    const entered = Array.from({ length: this.places }, () => this.enter());
    await Promise.all(entered);
    try {
      return await work();
    } finally {
      for (let place = 0; place < this.places; place++) this.leave();
    }
  }

  private enter(): Promise<void> {
    if (this.free > 0) {
      this.free--;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** A place goes from hand to hand: who asks in between does not get it before those who wait. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.free++;
  }
}
