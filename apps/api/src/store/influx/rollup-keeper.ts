import { setImmediate as turn } from 'node:timers/promises';
import { HOUR_MS } from '../rollup-id.js';
import { compactHours } from './compact-hours.js';
import type { InfluxCatalog } from './influx-catalog.js';
import type { InfluxConnection } from './influx-connection.js';
import { IntervalSet } from './interval-set.js';
import { firstMark, type Mark, markLine, readMarks } from './mark.js';
import { readUncounted } from './read-uncounted.js';
import { RollupSums } from './rollup-sums.js';
import { SeqSets } from './seq-sets.js';
import { Uncounted } from './uncounted.js';
import type { Sent, Unflushed } from './unflushed.js';

/** Bytes of rows in one request. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/**
 * A process that finds an unfinished attempt gives up so many numbers. A crash leaves one, but a backup that took the
 * marks before the rows holds the rows of all flushes made meanwhile. The numbers last for 600,000 such starts: a row's
 * number is part of its time, within its minute of 6e10 ns.
 */
const VOIDED_NUMBERS = 100_000;

/** Points that are summed up before requests have their turn. */
const TURN_POINTS = 5000;

/** KeeperOptions are what a RollupKeeper works with. */
export interface KeeperOptions {
  readonly connection: InfluxConnection;
  readonly catalog: InfluxCatalog;
  readonly slot: number;
  /** Epoch ms. */
  readonly clock: () => number;
  /** After so many flushes, or when an hour has passed, rows by the minute are summed up by the hour. */
  readonly compactFlushes: number;
}

/**
 * RollupKeeper counts a slot's points in rollups. Rows first, then the mark that names them. A number is given to rows
 * once: an attempt that did not finish is declared void by the next mark, because its requests may still lie in a server
 * that hangs and be stored whenever it goes on.
 */
export class RollupKeeper {
  private mark: Mark;
  private lastVersion: number;
  /** Rows of an attempt beyond the mark may be in the database. */
  private hasOpenFlush: boolean;
  private hasOpenCompaction: boolean;
  private isUnsure = false;
  /** How many numbers an attempt that did not finish makes void. */
  private voided = VOIDED_NUMBERS;
  private compactedHour: number;

  constructor(
    private readonly options: KeeperOptions,
    private readonly unflushed: Unflushed,
    found: Mark | undefined,
  ) {
    this.mark = found ?? firstMark(options.slot);
    this.lastVersion = this.mark.version;
    this.hasOpenFlush = this.hasOpenCompaction = !this.mark.isClean;
    this.compactedHour = this.currentHour();
  }

  /** open announces the slot: only what has a mark is looked for. */
  open(): Promise<void> {
    return this.settle(false);
  }

  /** flush counts every point whose request is settled. Rejects with a StoreFault; nothing is then half counted. */
  async flush(): Promise<void> {
    if (this.unflushed.ready().length === 0) return;
    await this.settle(false);
    // What settles while this runs may join the entries of the list: what is flushed now is copied first.
    const batch = this.unflushed.ready().map((sent) => ({ ...sent }));
    const last = batch.at(-1);
    if (!last) return;
    const sums = new RollupSums();
    const counted = await this.sum(batch, sums);
    const flush = this.mark.flush + 1;
    this.hasOpenFlush = true;
    for (const lines of sums.lines(this.options.slot, flush, MAX_REQUEST_BYTES)) {
      await this.options.connection.write('minute', lines);
    }
    const names = sums.nameLines();
    if (names !== '') await this.options.connection.write('meta', Buffer.from(names));
    await this.save({ ...this.mark, ...this.advanced(batch, counted, sums), flush, ticket: last.ticket });
    this.hasOpenFlush = false;
    this.unflushed.counted(last.ticket);
  }

  /** compact sums rows by the minute up by the hour when it is time. Rejects with a StoreFault. */
  async compact(): Promise<void> {
    const { mark } = this;
    const isDue =
      this.currentHour() !== this.compactedHour || mark.flush - mark.compacted >= this.options.compactFlushes;
    if (!isDue || mark.hours.isEmpty) return;
    await this.settle(false);
    this.hasOpenCompaction = true;
    const compaction = this.mark.compaction + 1;
    await compactHours(this.options.connection, this.mark, compaction);
    await this.save({ ...this.mark, compaction, compacted: this.mark.flush, hours: new IntervalSet() });
    this.hasOpenCompaction = false;
    this.compactedHour = this.currentHour();
  }

  /** close leaves a mark that says that nothing was under way. */
  close(): Promise<void> {
    return this.settle(true);
  }

  /** sum adds the points of requests to sums, and answers which points these are. */
  private async sum(batch: readonly Sent[], sums: RollupSums): Promise<SeqSets> {
    const counted = new SeqSets();
    // Points that another slot counted may have been sent again by this one.
    const marks = [...(await readMarks(this.options.connection)), this.mark, { counted }];
    const known = new Uncounted([], marks);
    let sinceTurn = 0;
    for (const { points, content } of batch) {
      counted.addAll(content.drifts);
      const fresh = points?.filter(({ seq }) => known.has(this.options.slot, seq)) ?? [];
      sums.add(fresh);
      for (const { seq } of fresh) counted.of(this.options.slot).add(seq);
      sinceTurn += fresh.length;
      if (sinceTurn < TURN_POINTS) continue;
      sinceTurn = 0;
      await turn();
    }
    const unknown = batch.filter(({ points }) => points === null).map(({ content }) => content);
    if (unknown.length === 0) return counted;
    const uncounted = new Uncounted(unknown, marks);
    for await (const written of readUncounted(this.options, uncounted)) {
      sums.add(written.map(({ point }) => point));
      // In the order of time, which need not be that of their numbers.
      for (const writer of new Set(written.map((one) => one.writer))) {
        const seqs = written.filter((one) => one.writer === writer).map(({ point }) => point.seq);
        counted.of(writer).addAll(IntervalSet.of(seqs));
      }
    }
    return counted;
  }

  private advanced(ready: readonly Sent[], counted: SeqSets, sums: RollupSums): Partial<Mark> {
    const all = SeqSets.parse(this.mark.counted.toString());
    all.addAll(counted);
    const hours = new IntervalSet();
    hours.addAll(this.mark.hours);
    hours.addAll(sums.hours);
    return {
      counted: all,
      hours,
      lastSeq: Math.max(this.mark.lastSeq, counted.highest),
      newestMs: Math.max(this.mark.newestMs, ...ready.map(({ content }) => content.newestMs)),
    };
  }

  /** settle makes void what did not finish, and learns how the last mark went when nobody knows. */
  private async settle(isClean: boolean): Promise<void> {
    if (this.isUnsure) {
      const found = (await readMarks(this.options.connection)).find(({ slot }) => slot === this.options.slot);
      if (found && found.version > this.mark.version) this.adopt(found);
      this.isUnsure = false;
    }
    const { mark } = this;
    if (!this.hasOpenFlush && !this.hasOpenCompaction && mark.version > 0 && mark.isClean === isClean) return;
    const [flush, compaction] = [mark.flush + this.voided, mark.compaction + this.voided];
    const voidFlushes = mark.voidFlushes.with(mark.flush + 1, flush);
    const voidCompactions = mark.voidCompactions.with(mark.compaction + 1, compaction);
    await this.save({
      ...mark,
      ...(this.hasOpenFlush ? { flush, voidFlushes } : {}),
      ...(this.hasOpenCompaction ? { compaction, voidCompactions } : {}),
      isClean,
    });
    this.hasOpenFlush = this.hasOpenCompaction = false;
    this.voided = 1; // From here on the attempts are this process's own, one at a time.
  }

  private adopt(found: Mark): void {
    if (found.flush > this.mark.flush) this.hasOpenFlush = false;
    if (found.compaction > this.mark.compaction) this.hasOpenCompaction = false;
    this.mark = found;
    this.unflushed.counted(found.ticket);
  }

  private async save(next: Mark): Promise<void> {
    const mark = bounded({ ...next, version: ++this.lastVersion });
    this.isUnsure = true;
    await this.options.connection.write('meta', Buffer.from(markLine(mark)));
    this.isUnsure = false;
    this.mark = mark;
  }

  private currentHour(): number {
    return Math.floor(this.options.clock() / HOUR_MS);
  }
}

/** bounded is a mark whose sets are small enough to be kept. */
function bounded(mark: Mark): Mark {
  return {
    ...mark,
    counted: mark.counted.bounded(),
    hours: mark.hours.bounded(),
    voidFlushes: mark.voidFlushes.bounded(),
    voidCompactions: mark.voidCompactions.bounded(),
  };
}
