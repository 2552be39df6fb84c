/** Turns lets the steps of one thing be taken one after another; steps of different things do not wait for each other. */
export class Turns {
  private readonly underway = new Map<string, Promise<void>>();

  /** isTaken tells whether a step of the thing is under way. */
  isTaken(id: string): boolean {
    return this.underway.has(id);
  }

  /** free answers when no step of the thing is under way: in that very turn of the event loop when none is. */
  async free(id: string): Promise<void> {
    let waitFor = this.underway.get(id);
    while (waitFor) {
      await waitFor.catch(() => undefined); // its own caller is told of its failure
      waitFor = this.underway.get(id);
    }
  }

  /** take takes a step when it is its turn; a step that answers null was over at once. */
  async take(id: string, step: () => Promise<void> | null): Promise<void> {
    if (this.underway.has(id)) await this.free(id);
    const work = step();
    if (!work) return;
    this.underway.set(id, work);
    try {
      await work;
    } finally {
      this.underway.delete(id);
    }
  }
}
