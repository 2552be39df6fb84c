import type { Point, Series } from '../store/point-store.js';
import { ByRecency, type Link } from './by-recency.js';
import { RingBuffer, type RingAnswer, type Window } from './ring-buffer.js';

/** RingsOptions bound the memory of all rings together. */
export interface RingsOptions {
  /** Points in one ring. */
  readonly points: number;
  /** Rings at most. */
  readonly models: number;
  /** The newest timestamp in the store when this process began, epoch ms: rings know nothing up to it. */
  readonly newestStoredMs: number;
}

/**
 * A ring makes room for another model when it was not written for this many turns for each ring that there may be. More
 * models than rings, written one after another, would else push each other out for ever, and no ring would ever hold
 * what is asked for: so up to twice as many models as rings leave those that have a ring theirs.
 */
const QUIET_TURNS_A_RING = 2;

interface Held extends Link<Held> {
  readonly key: string;
  readonly ring: RingBuffer;
  /** The turn of the last write. */
  turn: number;
  /** Under what it is known in `bySeries`. */
  readonly series: Series[];
}

/** Rings holds one ring buffer for each model that is being written, as far as there are enough. */
export class Rings {
  private readonly rings = new Map<string, Held>();
  /** Spares making a key for each point: series are few and last. */
  private readonly bySeries = new Map<Series, Held>();
  private readonly byRecency = new ByRecency<Held>();
  /** What a new ring may not claim to know: at or before this time there may be points that no ring has. */
  private floorMs: number;
  private turn = 0;
  private allocated = 0;

  constructor(private readonly options: RingsOptions) {
    this.floorMs = options.newestStoredMs;
  }

  /** rooms is how many rings were ever allocated: at most as many as there may be. */
  get rooms(): number {
    return this.allocated;
  }

  /** remember takes stored points in, in any order; those of models without a ring only raise the floor of later rings. */
  remember(points: readonly Point[]): void {
    this.turn++;
    for (const point of points) {
      const held = this.bySeries.get(point.series) ?? this.heldOf(point.series);
      if (!held) {
        this.floorMs = Math.max(this.floorMs, point.timestampMs);
        continue;
      }
      if (held.turn !== this.turn) this.byRecency.touch(held);
      held.turn = this.turn;
      held.ring.push(point);
    }
  }

  /** read answers a window of one model, or says that only the store can. */
  read(project: string, modelId: string, window: Window): RingAnswer {
    return this.rings.get(keyOf(project, modelId))?.ring.read(window) ?? { covered: false };
  }

  private heldOf(series: Series): Held | null {
    const key = keyOf(series.project, series.modelId);
    const held = this.rings.get(key) ?? this.admit(key);
    if (!held) return null;
    if (this.bySeries.size >= MAX_SERIES_KNOWN) this.forgetSeries();
    this.bySeries.set(series, held);
    held.series.push(series);
    return held;
  }

  /** admit gives a model a ring: a new one, or that of a model that is quiet. */
  private admit(key: string): Held | null {
    const ring = this.rings.size < this.options.models ? this.allocate() : this.takeQuietest();
    if (!ring) return null;
    const held: Held = { key, ring, turn: this.turn, series: [], older: null, newer: null };
    this.rings.set(key, held);
    this.byRecency.add(held);
    return held;
  }

  private allocate(): RingBuffer {
    this.allocated++;
    return new RingBuffer(this.options.points, this.floorMs);
  }

  /** A ring is used again, not made anew: else models that come and go would cost a ring's memory a point. */
  private takeQuietest(): RingBuffer | null {
    const quietest = this.byRecency.oldest;
    if (!quietest || this.turn - quietest.turn < QUIET_TURNS_A_RING * this.options.models) return null;
    this.byRecency.remove(quietest);
    this.rings.delete(quietest.key);
    for (const series of quietest.series) this.bySeries.delete(series);
    this.floorMs = Math.max(this.floorMs, quietest.ring.newestMs);
    quietest.ring.reset(this.floorMs);
    return quietest.ring;
  }

  private forgetSeries(): void {
    this.bySeries.clear();
    for (const held of this.rings.values()) held.series.length = 0;
  }
}

const MAX_SERIES_KNOWN = 100_000;

function keyOf(project: string, modelId: string): string {
  return `${project.length}:${project}${modelId}`;
}
