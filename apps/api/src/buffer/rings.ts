import type { Point } from '../store/point-store.js';
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

/** Rings holds one ring buffer for each model that is being written. */
export class Rings {
  private readonly rings = new Map<string, RingBuffer>();
  private floorMs: number;

  constructor(private readonly options: RingsOptions) {
    this.floorMs = options.newestStoredMs;
  }

  /** remember takes stored points in, in order. */
  remember(points: readonly Point[]): void {
    let key = '';
    let ring: RingBuffer | undefined;
    let previous: Point['series'] | null = null;
    for (const point of points) {
      if (point.series !== previous) {
        previous = point.series;
        const wanted = keyOf(point.series.project, point.series.modelId);
        if (wanted !== key || !ring) ring = this.ringOf((key = wanted));
      }
      ring?.push(point);
    }
  }

  /** read answers a window of one model, or says that only the store can. */
  read(project: string, modelId: string, window: Window): RingAnswer {
    return this.rings.get(keyOf(project, modelId))?.read(window) ?? { covered: false };
  }

  private ringOf(key: string): RingBuffer {
    const found = this.rings.get(key);
    if (found) {
      this.rings.delete(key); // the order of the map is the order of the last write
      this.rings.set(key, found);
      return found;
    }
    if (this.rings.size >= this.options.models) this.dropOldest();
    const ring = new RingBuffer(this.options.points, this.floorMs);
    this.rings.set(key, ring);
    return ring;
  }

  private dropOldest(): void {
    const [oldest] = this.rings;
    if (!oldest) return;
    this.rings.delete(oldest[0]);
    this.floorMs = Math.max(this.floorMs, oldest[1].newestMs);
  }
}

function keyOf(project: string, modelId: string): string {
  return `${project.length}:${project}${modelId}`;
}
