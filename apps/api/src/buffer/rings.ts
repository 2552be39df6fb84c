import type { Point, Series } from '../store/point-store.js';
import { RingBuffer, type RingAnswer, type Window } from './ring-buffer.js';

/** RingsOptions bound the memory of all rings together. */
export interface RingsOptions {
  /** Points in one ring. */
  readonly points: number;
  /** Rings at most; the one not written for longest makes room. */
  readonly models: number;
  /** The newest timestamp in the store when this process began, epoch ms: rings know nothing up to it. */
  readonly newestStoredMs: number;
}

interface Held {
  readonly ring: RingBuffer;
  /** The turn of the last write. */
  turn: number;
}

/** Rings holds one ring buffer for each model that is being written. */
export class Rings {
  private readonly rings = new Map<string, Held>();
  /** Spares making a key for each point: series are few and last. */
  private readonly bySeries = new Map<Series, Held>();
  private floorMs: number;
  private turn = 0;

  constructor(private readonly options: RingsOptions) {
    this.floorMs = options.newestStoredMs;
  }

  /** remember takes stored points in, in order. */
  remember(points: readonly Point[]): void {
    this.turn++;
    for (const point of points) {
      const held = this.bySeries.get(point.series) ?? this.heldOf(point.series);
      held.turn = this.turn;
      held.ring.push(point);
    }
  }

  /** read answers a window of one model, or says that only the store can. */
  read(project: string, modelId: string, window: Window): RingAnswer {
    return this.rings.get(keyOf(project, modelId))?.ring.read(window) ?? { covered: false };
  }

  private heldOf(series: Series): Held {
    const key = keyOf(series.project, series.modelId);
    let held = this.rings.get(key);
    if (!held) {
      if (this.rings.size >= this.options.models) this.dropQuietest();
      held = { ring: new RingBuffer(this.options.points, this.floorMs), turn: this.turn };
      this.rings.set(key, held);
    }
    if (this.bySeries.size >= MAX_SERIES_KNOWN) this.bySeries.clear();
    this.bySeries.set(series, held);
    return held;
  }

  private dropQuietest(): void {
    let quietest: [string, Held] | null = null;
    for (const entry of this.rings) if (!quietest || entry[1].turn < quietest[1].turn) quietest = entry;
    if (!quietest) return;
    this.rings.delete(quietest[0]);
    this.bySeries.clear();
    this.floorMs = Math.max(this.floorMs, quietest[1].ring.newestMs);
  }
}

const MAX_SERIES_KNOWN = 100_000;

function keyOf(project: string, modelId: string): string {
  return `${project.length}:${project}${modelId}`;
}
