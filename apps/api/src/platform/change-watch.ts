import type { Revisions, Topic } from '@tidemark/state';

/** ChangeWatchOptions are what is watched, and what is to be read anew when it changed. */
export interface ChangeWatchOptions {
  readonly revisions: Pick<Revisions, 'read'>;
  readonly reload: Readonly<Partial<Record<Topic, () => Promise<void>>>>;
  /** onFault is told once of each stretch of looks that fail. */
  readonly onFault: (error: unknown) => void;
  /** Time between looks, default 1000 ms. */
  readonly everyMs?: number;
}

/**
 * ChangeWatch has what other instances change read anew here, about a second after they were told that it is changed.
 * The first look reads everything, so that nothing is missed between what was read at start and that look.
 */
export class ChangeWatch {
  private readonly seen = new Map<string, number>();
  private looking: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;
  private isFailing = false;

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

  /** close ends looking. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async lookOnce(): Promise<void> {
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
    }
  }
}
