import type { Database } from '@tidemark/sqlite';
import { toBody } from './blocks.js';
import { ChunkError } from './chunk-error.js';
import { openCommit, type Commit } from './commit.js';
import { dropCommits, isCurrent, packFlush, setAside, writeFlush, type PackedFlush } from './flush.js';
import type { WaitingCommit } from './flush-queue.js';
import type { Pace } from './pace.js';
import type { Steps } from './steps.js';
import type { StoreState } from './store-state.js';
import type { StoreWriter } from './store-writer.js';
import type { Work, WorkNote } from './tended-work.js';

const SLICE_MS = 3;
const DROPS_A_SLICE = 200;
/** Queries look at waiting points one by one: past this many generations of them, commits are slowed down. */
const BEHIND = 10;

/**
 * FlushWork moves committed points into blocks and rollups, a generation of commits at a time, in slices of some 3 ms.
 * None of them waits for the disk: the file's log keeps their order, so what a loss of power takes back, up to the points
 * committed last, is still in the commits, and is flushed again.
 */
export class FlushWork implements Work {
  readonly name = 'flush';
  private gatheringSince: number | null = null;
  private packing: { readonly state: StoreState; readonly steps: Steps<PackedFlush> } | null = null;

  constructor(
    private readonly writer: StoreWriter,
    private readonly pace: Pace,
    private readonly tell: (note: WorkNote) => void,
  ) {}

  dueInMs(): number {
    const { flushQueue } = this.writer.state;
    if (flushQueue.step !== 'idle' || flushQueue.points >= this.pace.flushPoints) return 0;
    if (flushQueue.isEmpty) return Infinity;
    this.gatheringSince ??= performance.now();
    return Math.max(0, this.gatheringSince + this.pace.flushMs - performance.now());
  }

  isBehind(): boolean {
    return this.writer.state.flushQueue.points > BEHIND * this.pace.flushPoints;
  }

  isPressed(): boolean {
    return this.writer.state.flushQueue.points >= this.pace.flushPoints;
  }

  slice(): void {
    const { flushQueue, series } = this.writer.sound();
    if (flushQueue.step === 'flushing') return this.flush();
    if (flushQueue.step === 'dropping') return this.drop();
    if (flushQueue.step === 'idle') {
      if (flushQueue.isEmpty) return;
      this.gatheringSince = null;
      flushQueue.begin();
    }
    const end = performance.now() + SLICE_MS;
    flushQueue.collect({ series, open: (commit) => this.open(commit) }, () => performance.now() > end);
  }

  /** flush packs some tasks, in as many slices as it takes, and writes them when that is done. */
  private flush(): void {
    const { state } = this.writer;
    const packed = this.packed(state);
    if (!packed) return;
    // Nothing else runs in this thread between the look and the transaction.
    if (!this.writer.read((database) => isCurrent(database, packed))) return;
    const damaged = this.writer.rearrange((database) => writeFlush(database, packed));
    state.flushed(packed.tasks);
    if (damaged > 0) this.tell({ kind: 'damaged', what: 'rollup', count: damaged });
  }

  /** packed goes on packing for a slice's time, and returns null as long as that is not done. */
  private packed(state: StoreState): PackedFlush | null {
    // A state that was read anew may know other tasks.
    if (this.packing?.state !== state) {
      const tasks = state.flushQueue.next(SLICE_MS);
      this.packing = { state, steps: this.writer.read((database) => packFlush(database, tasks)) };
    }
    const { steps } = this.packing;
    // What throws ends its steps: the next slice must not take them for done.
    this.packing = null;
    const end = performance.now() + SLICE_MS;
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
      if (performance.now() > end) break;
    }
    this.packing = { state, steps };
    return null;
  }

  private drop(): void {
    const { flushQueue } = this.writer.state;
    const { droppableId } = flushQueue;
    const dropped = this.writer.rearrange((database) => dropCommits(database, droppableId, DROPS_A_SLICE));
    if (dropped < DROPS_A_SLICE) flushQueue.dropped();
  }

  /** open sets a damaged commit aside: it must not keep all others from being flushed for ever. */
  private open(waiting: WaitingCommit): Commit | null {
    try {
      const body = waiting.body ?? this.writer.read((database) => readBody(database, waiting.id));
      const commit = openCommit(waiting.id, body);
      // Each series takes its points out of all commits: decoded later, the first series would pay for all of them at once.
      commit.chunk.decode();
      return commit;
    } catch (error) {
      if (!(error instanceof ChunkError)) throw error;
      const points = this.writer.rearrange((database) => setAside(database, waiting.id));
      this.tell({ kind: 'damaged', what: 'commit', count: 1, points, message: error.message });
      return null;
    }
  }
}

function readBody(database: Database, id: number): ArrayBuffer {
  const [row] = database.prepare('SELECT body FROM commits WHERE id = ?').all([id]);
  if (!row) throw new Error(`commit ${id} is gone`);
  return toBody(row);
}
