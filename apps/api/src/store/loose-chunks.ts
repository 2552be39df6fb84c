import { floorTo, HOUR_MS } from './rollup-id.js';

/** LooseGroup is the folded but not yet merged chunks of one series and hour. */
export interface LooseGroup {
  readonly series: number;
  readonly hourMs: number;
  readonly chunks: LooseChunk[];
  points: number;
}

/** LooseChunk is a folded chunk of the table of commits. */
export interface LooseChunk {
  readonly id: number;
  readonly count: number;
  readonly minMs: number;
}

/** Ripe says when a group of the current hour is worth merging. */
export interface Ripe {
  readonly chunks: number;
  readonly points: number;
}

/**
 * LooseChunks knows which chunks wait to be merged. A group is ripe when it has many chunks or points, or when its
 * series has gone on to another hour, after which little more will come.
 */
export class LooseChunks {
  private readonly bySeries = new Map<number, Map<number, LooseGroup>>();
  private readonly newestHour = new Map<number, number>();
  private readonly ripe = new Set<LooseGroup>();

  private total = 0;

  constructor(private readonly when: Ripe) {}

  /** count is the number of loose chunks, ripe or not. */
  get count(): number {
    return this.total;
  }

  /** hasRipe tells whether `next` has something. */
  get hasRipe(): boolean {
    return this.ripe.size > 0;
  }

  add(series: number, chunk: LooseChunk): void {
    const hourMs = floorTo(chunk.minMs, HOUR_MS);
    const hours = this.bySeries.get(series) ?? new Map<number, LooseGroup>();
    this.bySeries.set(series, hours);
    const group = hours.get(hourMs) ?? { series, hourMs, chunks: [], points: 0 };
    hours.set(hourMs, group);
    group.chunks.push(chunk);
    this.total++;
    group.points += chunk.count;
    if (group.chunks.length >= this.when.chunks || group.points >= this.when.points) this.ripe.add(group);
    const newest = this.newestHour.get(series) ?? -Infinity;
    if (hourMs <= newest) return;
    this.newestHour.set(series, hourMs);
    for (const older of hours.values()) if (older.hourMs < hourMs) this.ripe.add(older);
  }

  /** next is the group that has been ripe for longest. */
  next(): LooseGroup | undefined {
    const [group] = this.ripe;
    return group;
  }

  /** remove takes the first `count` chunks out of a group: they were merged, dropped or found damaged. */
  remove(group: LooseGroup, count: number): void {
    for (const chunk of group.chunks.splice(0, count)) {
      group.points -= chunk.count;
      this.total--;
    }
    if (group.chunks.length > 0) return;
    this.ripe.delete(group);
    this.bySeries.get(group.series)?.delete(group.hourMs);
  }

  /** forget takes out the groups of a series that ended before a time. */
  forget(series: number, beforeMs: number): void {
    for (const group of this.bySeries.get(series)?.values() ?? []) {
      if (group.hourMs + HOUR_MS <= beforeMs) this.remove(group, group.chunks.length);
    }
  }

  clear(): void {
    this.bySeries.clear();
    this.newestHour.clear();
    this.ripe.clear();
    this.total = 0;
  }
}
