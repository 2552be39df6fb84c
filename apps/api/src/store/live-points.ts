import type { Database } from '@tidemark/sqlite';
import type { Commit } from './commit.js';
import type { LiveCommits } from './live-commits.js';

/** OwnerFilter knows, by id of the series, which points of commits a query is about and which of them are live. */
export class OwnerFilter<T> {
  private readonly values = new Map<number, { readonly value: T; readonly flushedCommit: number }>();

  constructor(private readonly database: Database) {}

  /** addModel admits the series of a model for which `valueOf` gives something. */
  addModel(model: number, valueOf: (series: number) => T | undefined): void {
    const rows = this.database.prepare('SELECT series, flushed_commit FROM series_state WHERE model = ?').all([model]);
    for (const row of rows) {
      const series = Number(row.series);
      const value = valueOf(series);
      if (value !== undefined) this.values.set(series, { value, flushedCommit: Number(row.flushed_commit) });
    }
  }

  /** at is what was given for the owner of a row of a commit; undefined when it is not asked for, or flushed. */
  at(commit: Commit, row: number): T | undefined {
    const owner = this.values.get(commit.owners[row]);
    return owner && owner.flushedCommit < commit.id ? owner.value : undefined;
  }
}

/** Window is a stretch of time, from fromMs (included) to toMs (excluded), epoch ms. */
interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** eachLivePoint visits the points in commits that the filter admits, commit by commit. */
export function eachLivePoint<T>(
  live: LiveCommits,
  filter: OwnerFilter<T>,
  { fromMs, toMs }: Window,
  visit: (value: T, commit: Commit, row: number) => void,
): void {
  for (const commit of live.between(fromMs, toMs)) {
    const times = commit.chunk.times();
    for (let row = 0; row < times.length; row++) {
      if (times[row] < fromMs || times[row] >= toMs) continue;
      const value = filter.at(commit, row);
      if (value !== undefined) visit(value, commit, row);
    }
  }
}
