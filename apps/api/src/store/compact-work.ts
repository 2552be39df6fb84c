import type { Work } from './background.js';
import { ChunkError } from './chunk-error.js';
import { compactTask, BLOCK_POINTS } from './compact.js';
import type { Pace } from './pace.js';
import type { StoreWriter } from './store-writer.js';

/** A slice takes no more chunks than this: each costs some 20 µs to read and drop. */
const MAX_CHUNKS = 128;

/** CompactWork merges folded chunks into blocks, one hour of one series at a time: at rest, or when too many wait. */
export class CompactWork implements Work {
  constructor(
    private readonly writer: StoreWriter,
    private readonly pace: Pace,
  ) {}

  dueInMs(): number {
    const { lastCommitAt, state } = this.writer;
    if (!state.loose.hasRipe) return Infinity;
    if (state.loose.count >= this.pace.looseChunks) return 0;
    return Math.max(0, lastCommitAt + this.pace.restMs - performance.now());
  }

  slice(): void {
    const { loose } = this.writer.sound();
    const group = loose.next();
    if (!group) return;
    const { series, hourMs } = group;
    const chunks: number[] = [];
    let points = 0;
    for (const { id, count } of group.chunks) {
      if (chunks.length === MAX_CHUNKS || points >= BLOCK_POINTS) break;
      chunks.push(id);
      points += count;
    }
    try {
      this.writer.commit((database) => compactTask(database, { series, hourMs, chunks }));
    } catch (error) {
      // Damaged ones stay in the table of commits, for the reader to report; the others of this slice stay with them.
      if (!(error instanceof ChunkError)) throw error;
    }
    loose.remove(group, chunks.length);
  }
}
