import type { Database } from '@tidemark/sqlite';
import { readBlocks } from './blocks.js';
import type { Chunk } from './chunk.js';
import { ceilTo, HOUR_MS } from './rollup-id.js';
import type { StoredSeries } from './series-catalog.js';

/** HEADS are read this many at a time, from the index alone. */
const HEADS = 16;

interface Head {
  readonly id: number;
  readonly maxMs: number;
}

/** BlockWalk yields the blocks of one series by max_ms, newest first, reading no body before it is asked for. */
export class BlockWalk {
  /** maxMs of the block that `take` returns next; -Infinity at the end. */
  maxMs = Infinity;
  private heads: readonly Head[] = [];
  private next = 0;

  constructor(
    readonly series: StoredSeries,
    private readonly database: Database,
    /** Blocks that end before sinceMs, or begin at beforeMs or later, are left out. */
    private readonly sinceMs: number,
    private readonly beforeMs: number,
  ) {
    this.advance();
  }

  /** take returns the next block; only to be called while maxMs is finite. */
  take(): Chunk {
    const { id } = this.heads[this.next++];
    const [block] = readBlocks(this.database, [id]);
    if (!block) throw new Error(`block ${id} is gone`);
    this.advance();
    return block.chunk;
  }

  private advance(): void {
    if (this.next >= this.heads.length && (this.heads.length === 0 || this.heads.length === HEADS)) this.fetch();
    this.maxMs = this.heads[this.next]?.maxMs ?? -Infinity;
  }

  /** fetch begins at the hour in which beforeMs lies: no block crosses an hour. */
  private fetch(): void {
    const last = this.heads.at(-1) ?? { maxMs: ceilTo(this.beforeMs, HOUR_MS), id: 0 };
    const rows = this.database
      .prepare(
        `SELECT id, max_ms FROM blocks
         WHERE series = ? AND (max_ms, id) < (?, ?) AND max_ms >= ? AND min_ms < ?
         ORDER BY max_ms DESC, id DESC LIMIT ${HEADS}`,
      )
      .all([this.series.id, last.maxMs, last.id, this.sinceMs, this.beforeMs]);
    this.heads = rows.map((row) => ({ id: Number(row.id), maxMs: Number(row.max_ms) }));
    this.next = 0;
  }
}
