import { FaultEpisode } from '@tidemark/program';
import type { Keys } from '@tidemark/state';
import type { Logger } from 'pino';

/** SAVE_EVERY_MS is how often it is written when keys were last used, where any were. */
const SAVE_EVERY_MS = 60_000;

/**
 * KeyUseKeeper writes when keys were last used, once a minute and at the end, so that a crash forgets a minute of it. While
 * nobody comes with a key, nothing is written.
 */
export class KeyUseKeeper {
  private timer: NodeJS.Timeout | undefined;
  /** One write at a time: a slow database has no heap of them to work off. */
  private saving: Promise<void> | null = null;
  private readonly episode: FaultEpisode;

  constructor(
    private readonly keys: Pick<Keys, 'flushLastUsed'>,
    private readonly log: Logger,
  ) {
    this.episode = new FaultEpisode(log, {
      began: 'when keys were last used could not be written; it is kept and written later',
      ended: 'when keys were last used is written again',
    });
  }

  /** start begins to write. */
  start(): void {
    this.timer = setInterval(() => {
      this.saving ??= this.save().finally(() => (this.saving = null));
    }, SAVE_EVERY_MS);
    this.timer.unref();
  }

  /** close writes the last uses. What cannot be written then is lost and told; it keeps no process from ending in order. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.saving;
    try {
      await this.keys.flushLastUsed();
    } catch (error) {
      this.log.warn(
        { err: error },
        'when keys were last used could not be written at the end; the last minutes are lost',
      );
    }
  }

  private async save(): Promise<void> {
    try {
      await this.keys.flushLastUsed();
      this.episode.worked();
    } catch (error) {
      this.episode.failed(error);
    }
  }
}
