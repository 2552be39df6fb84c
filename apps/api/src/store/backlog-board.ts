import type { FaultEpisode } from '@tidemark/program';
import type { WaitingPoints } from '@tidemark/state';
import type { Backlog } from './spool/spooling-sink.js';

/** BacklogBook is where instances tell each other what waits with them. */
export interface BacklogBook {
  put(waiting: WaitingPoints): Promise<void>;
  list(): Promise<readonly WaitingPoints[]>;
}

/** BacklogBoardOptions are what waits here, and where others tell what waits with them. */
export interface BacklogBoardOptions {
  /** Who this instance is: the same over restarts, as its spool is. */
  readonly writer: string;
  readonly own: () => Backlog;
  /** null where no other instance stores points. */
  readonly book: BacklogBook | null;
  readonly wallMs: () => number;
  /** How long points are kept, ms: what was said longer ago waits for nothing any more. */
  readonly keptMs: number;
  /** Told of each try to say something. */
  readonly saying: Pick<FaultEpisode, 'failed' | 'worked'>;
  /** The least time between two things that are said, default 1000 ms. */
  readonly everyMs?: number;
}

/** Pending is what was acknowledged by all instances and is missing from answers, as far as is known here. */
export interface Pending {
  readonly points: number;
  /** When the oldest was acknowledged, epoch ms; null when there is none. */
  readonly sinceMs: number | null;
}

/**
 * BacklogBoard knows how many acknowledged points the server of points has not got. What waits here it knows at once; what waits
 * elsewhere it has read when it was told to. It says what waits here when that has changed, so that nothing is written while
 * nothing waits, and asking it costs no question to anybody.
 */
export class BacklogBoard {
  private others: readonly WaitingPoints[] = [];
  /** null as long as nobody knows what an earlier life of this instance said. */
  private said: { readonly points: number; readonly oldestMs: number } | null = null;
  private saying: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: BacklogBoardOptions) {}

  /** start says what waits here, from now on. */
  start(): void {
    if (!this.options.book) return;
    this.timer = setInterval(() => void this.say(), this.options.everyMs ?? 1000);
    this.timer.unref();
    void this.say();
  }

  /** pending is to be asked before a read begins: what is stored meanwhile is then counted too much, never too little. */
  pending(): Pending {
    const { own, wallMs } = this.options;
    const { points, oldestMs } = own();
    if (this.others.length === 0 && points === 0) return NOTHING;
    const nowMs = wallMs();
    const all = this.others.filter((one) => this.isKept(one, nowMs));
    const since = [...all.map((one) => one.oldestMs), ...(points > 0 ? [nowMs - oldestMs] : [])];
    if (since.length === 0) return NOTHING;
    return { points: all.reduce((sum, one) => sum + one.points, points), sinceMs: Math.min(...since) };
  }

  /** reload reads what waits elsewhere. It rejects where that cannot be read, and keeps what it knew. */
  async reload(): Promise<void> {
    const { book, writer } = this.options;
    if (book) this.others = (await book.list()).filter((one) => one.writer !== writer);
  }

  /** say says what waits here, if that has changed since it was last said. It never rejects, and does not overlap. */
  say(): Promise<void> {
    this.saying ??= this.sayOnce().finally(() => (this.saying = null));
    return this.saying;
  }

  /** close says what this process leaves behind. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.saying;
    await this.say();
  }

  private async sayOnce(): Promise<void> {
    const { book, own, writer, wallMs, saying } = this.options;
    if (!book) return;
    const { points, oldestMs: ageMs } = own();
    const updatedMs = wallMs();
    const oldestMs = Math.round(updatedMs - ageMs);
    // While no point comes or goes the oldest is the same, but for what rounding and the clock do to it.
    if (this.said?.points === points && (points === 0 || Math.abs(oldestMs - this.said.oldestMs) < 1000)) return;
    try {
      await book.put({ writer, points, oldestMs, updatedMs: Math.round(updatedMs) });
      this.said = { points, oldestMs };
      saying.worked();
    } catch (error) {
      saying.failed(error);
    }
  }

  private isKept({ updatedMs }: WaitingPoints, nowMs: number): boolean {
    return updatedMs > nowMs - this.options.keptMs;
  }
}

const NOTHING: Pending = { points: 0, sinceMs: null };
