import type { Revisions, Topic } from '@tidemark/state';

/** ChangeWatchOptions are what is watched, and what is to be read anew when it changed. */
export interface ChangeWatchOptions {
  readonly revisions: Pick<Revisions, 'read'>;
  readonly reload: Readonly<Partial<Record<Topic, () => Promise<void>>>>;
  /** onFault is told once of each stretch of looks that fail. */
  readonly onFault: (error: unknown) => void;
  /** Time between looks, default 1000 ms. */
  readonly everyMs?: number;
  readonly steadyMs: () => number;
}

/** Between two looks that somebody waits for; who comes in between shares the next one. */
const SPACING_MS = 10;
/** A database that does not answer must not keep who only wants to know of changes. */
const PATIENCE_MS = 500;

/**
 * ChangeWatch has what other instances change read anew here: within a second by itself, and before `fresh` answers for who
 * must not act on what was changed before. The first look reads everything, so that nothing is missed between what was
 * read at start and that look.
 */
export class ChangeWatch {
  private readonly seen = new Map<string, number>();
  private looking: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;
  private isFailing = false;
  private beganMs = -Infinity;
  /** The next look that somebody waits for, as long as it has not begun. */
  private next: Promise<void> | null = null;
  /** Set while a look has taken longer than anybody should wait for. */
  private isLate = false;

  constructor(private readonly options: ChangeWatchOptions) {}

  /** start looks now and at every interval; it answers after the first look. */
  async start(): Promise<void> {
    this.timer = setInterval(() => void this.look(), this.options.everyMs ?? 1000);
    this.timer.unref();
    await this.look();
  }

  /** look looks once; looks do not overlap. */
  look(): Promise<void> {
    this.looking ??= this.lookOnce().finally(() => (this.looking = null));
    return this.looking;
  }

  /**
   * fresh answers when everything that was changed before the call has been read here. It never rejects, and waits for no
   * database that does not answer: while it is away nothing can be changed, either.
   */
  async fresh(): Promise<void> {
    if (this.isLate) return;
    this.next ??= this.lookNext();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), PATIENCE_MS);
    });
    if ((await Promise.race([this.next, late])) === 'late') this.isLate = true;
    clearTimeout(timer);
  }

  /** A look that is under way may have read before the change: the one that counts begins after the call. */
  private async lookNext(): Promise<void> {
    const waitMs = this.beganMs + SPACING_MS - this.options.steadyMs();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    await this.looking;
    this.next = null;
    await this.look();
    // It may have met a connection that died with an earlier life of the database.
    if (this.isFailing) await this.look();
  }

  /** close ends looking. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.next;
    await this.looking;
  }

  private async lookOnce(): Promise<void> {
    this.beganMs = this.options.steadyMs();
    try {
      // Read before what it speaks of: what changes in between has a higher number at the next look.
      const revisions = await this.options.revisions.read();
      for (const [topic, reload] of Object.entries(this.options.reload)) {
        const revision = revisions.get(topic) ?? 0;
        if (this.seen.get(topic) === revision) continue;
        await reload();
        this.seen.set(topic, revision);
      }
      this.isFailing = false;
    } catch (error) {
      if (!this.isFailing) this.options.onFault(error);
      this.isFailing = true;
    } finally {
      this.isLate = false;
    }
  }
}
