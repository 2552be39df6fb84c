import type { Series } from '../store/point-store.js';
import { ACTIVE_MS, type SeriesRegistry } from './series-registry.js';

/** SharedSeriesOptions are the registry of this instance, and where the series of all instances are read. */
export interface SharedSeriesOptions {
  readonly registry: SeriesRegistry;
  /** Reads the series that were active since then, whoever took them. */
  readonly read: (sinceMs: number) => Promise<readonly Series[]>;
  readonly wallMs: () => number;
  readonly steadyMs: () => number;
  readonly onFault: (error: unknown) => void;
}

/** All series are read: a flood of new ones must not have that done again and again. */
const SPACING_MS = 30_000;
/** A store that does not answer must not keep who only waits to be refused. */
const PATIENCE_MS = 2000;

/**
 * SharedSeries has a registry know the series that other instances took, before it refuses any for the limit: what exists
 * goes on, whichever instance it is sent to. Read are they only then, so that it costs nothing as long as there is room.
 */
export class SharedSeries {
  private readMs = -Infinity;
  private reading: Promise<boolean> | null = null;

  constructor(private readonly options: SharedSeriesOptions) {}

  /** learn answers true when the series were read anew, and who was refused may be looked at again. It never rejects. */
  async learn(): Promise<boolean> {
    if (!this.reading) {
      const nowMs = this.options.steadyMs();
      if (nowMs - this.readMs < SPACING_MS) return false;
      this.readMs = nowMs;
      this.reading = this.read().finally(() => (this.reading = null));
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), PATIENCE_MS);
    });
    const isRead = await Promise.race([this.reading, late]);
    clearTimeout(timer);
    return isRead;
  }

  /** close answers when nothing is read any more. */
  async close(): Promise<void> {
    await this.reading;
  }

  private async read(): Promise<boolean> {
    const { registry, read, wallMs, onFault } = this.options;
    try {
      registry.load(await read(wallMs() - ACTIVE_MS), wallMs());
      return true;
    } catch (error) {
      onFault(error);
      return false;
    }
  }
}
