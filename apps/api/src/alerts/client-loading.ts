import { loadClientOf } from '@tidemark/delivery';
import type { ChannelKind } from '@tidemark/types';
import type { Logger } from 'pino';

/** The start itself, and the collection of its garbage, are over by then. */
const AFTER_START_MS = 300;

/**
 * ClientLoading loads what a kind of channel sends with as soon as there is such a channel, so that the first message need
 * not wait for it. Who has no channel never has the clients in memory.
 */
export class ClientLoading {
  /** Kinds wait here until the server listens; then it is null. */
  private early: Set<ChannelKind> | null = new Set();
  private readonly timers = new Map<ChannelKind, NodeJS.Timeout>();

  constructor(private readonly log: Logger) {}

  /** want says that there is a channel of a kind. Cheap, and may be said again and again. */
  want(kind: ChannelKind): void {
    if (this.early) this.early.add(kind);
    else this.schedule(kind, 0);
  }

  /** listening says that the server listens: what was wanted before may be loaded now. */
  listening(): void {
    const kinds = [...(this.early ?? [])];
    this.early = null;
    for (const kind of kinds) this.schedule(kind, AFTER_START_MS);
  }

  /** close loads nothing more. */
  close(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  private schedule(kind: ChannelKind, ms: number): void {
    if (this.timers.has(kind)) return;
    // Never in the turn of the request that made the channel: its answer goes out first.
    const timer = setTimeout(() => {
      this.timers.delete(kind);
      try {
        loadClientOf(kind);
      } catch (error) {
        this.log.warn(
          { err: error, kind },
          'the client of a channel could not be loaded yet; its first message will try',
        );
      }
    }, ms);
    this.timers.set(kind, timer.unref());
  }
}
