import type { Database } from '@tidemark/sqlite';
import { toBody } from './blocks.js';
import { openCommit, type Commit } from './commit.js';

const MAX_BYTES = 32 << 20;

interface KeptCommit {
  readonly id: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly bytes: number;
  /** Null when it is read again each time: memory is bounded. */
  readonly commit: Commit | null;
}

/**
 * LiveCommits keeps the commits of the file in the reader's memory. They never change, come under rising ids and are
 * deleted from the lowest id up, so `refresh` (inside the query's transaction) reads only what is new.
 */
export class LiveCommits {
  private kept: KeptCommit[] = [];
  private bytes = 0;
  private lastId = 0;

  constructor(private readonly database: Database) {}

  get isEmpty(): boolean {
    return this.kept.length === 0;
  }

  refresh(): void {
    const ends = this.database.prepare('SELECT min(id) AS first, max(id) AS last FROM commits').get([]);
    this.dropBefore(Number(ends?.first ?? Infinity));
    if (Number(ends?.last ?? 0) <= this.lastId) return;
    const heads = this.database
      .prepare('SELECT id, min_ms, max_ms, length(body) AS bytes FROM commits WHERE id > ? ORDER BY id')
      .all([this.lastId]);
    for (const head of heads) {
      const [id, minMs, maxMs, size] = [head.id, head.min_ms, head.max_ms, head.bytes].map(Number);
      const isKept = this.bytes + size <= MAX_BYTES;
      const bytes = isKept ? size : 0;
      this.kept.push({ id, minMs, maxMs, bytes, commit: isKept ? this.read(id) : null });
      this.bytes += bytes;
      this.lastId = id;
    }
  }

  /** between yields the commits with points from fromMs (included) to toMs (excluded), or around them. */
  *between(fromMs: number, toMs: number): Generator<Commit, void> {
    for (const { id, minMs, maxMs, commit } of this.kept) {
      if (maxMs >= fromMs && minMs < toMs) yield commit ?? this.read(id);
    }
  }

  private read(id: number): Commit {
    const [row] = this.database.prepare('SELECT body FROM commits WHERE id = ?').all([id]);
    if (!row) throw new Error(`commit ${id} is gone`);
    return openCommit(id, toBody(row));
  }

  private dropBefore(firstId: number): void {
    const from = this.kept.findIndex(({ id }) => id >= firstId);
    const dropped = this.kept.splice(0, from < 0 ? this.kept.length : from);
    for (const { bytes } of dropped) this.bytes -= bytes;
  }
}
