/** Slots lets a bounded number of tasks run at once; the others wait, first come first served. */
export class Slots {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** run answers what the task does, once there is a slot for it. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((go) => this.waiting.push(go));
    try {
      return await task();
    } finally {
      const next = this.waiting.shift(); // the slot is handed on, so that nobody slips in between
      if (next) next();
      else this.free++;
    }
  }
}
