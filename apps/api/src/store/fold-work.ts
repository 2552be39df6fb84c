import type { Work } from './background.js';
import { foldTasks } from './fold.js';
import type { Pace } from './pace.js';
import type { StoreWriter } from './store-writer.js';

const SLICE_MS = 5;

/** FoldWork counts committed chunks into the rollups, a few milliseconds at a time. */
export class FoldWork implements Work {
  private gatheringSince: number | null = null;

  constructor(
    private readonly writer: StoreWriter,
    private readonly pace: Pace,
  ) {}

  dueInMs(): number {
    const { foldQueue } = this.writer.state;
    if (foldQueue.isFolding || foldQueue.points >= this.pace.unfoldedPoints) return 0;
    if (foldQueue.points === 0) return Infinity;
    this.gatheringSince ??= performance.now();
    return Math.max(0, this.gatheringSince + this.pace.unfoldedMs - performance.now());
  }

  slice(): void {
    const state = this.writer.sound();
    const { foldQueue } = state;
    if (!foldQueue.isFolding) {
      foldQueue.begin();
      this.gatheringSince = null;
    }
    const tasks = foldQueue.next(SLICE_MS);
    this.writer.commit((database) => foldTasks(database, tasks));
    state.folded(tasks);
  }
}
