import type { FoldTask } from './fold.js';
import { MINUTE_MS } from './rollup-id.js';

/** WaitingChunk is a committed chunk that no rollup counts yet. */
export interface WaitingChunk {
  readonly id: number;
  readonly count: number;
  readonly minMs: number;
  readonly maxMs: number;
}

type Generation = Map<number, Map<number, WaitingChunk[]>>;

/** Rough costs: a point is summed up in 0.5 µs, a stored rollup is read, merged and written in 60 µs. */
const POINT_US = 0.5;
const ROLLUP_US = 60;

/**
 * FoldQueue holds the chunks that are not yet counted in the rollups, by model and series, in rising order of id. A
 * generation is folded as a whole while new chunks gather in the next one: each rollup is written once a generation.
 */
export class FoldQueue {
  private folding: Generation = new Map();
  private gathering: Generation = new Map();
  private gatheredPoints = 0;

  /** isFolding while the generation that `begin` picked is not yet done. */
  get isFolding(): boolean {
    return this.folding.size > 0;
  }

  get isEmpty(): boolean {
    return this.folding.size === 0 && this.gathering.size === 0;
  }

  /** points are how many wait in the generation that gathers. */
  get points(): number {
    return this.gatheredPoints;
  }

  add(model: number, series: number, chunk: WaitingChunk): void {
    const ofModel = this.gathering.get(model) ?? new Map<number, WaitingChunk[]>();
    this.gathering.set(model, ofModel);
    const chunks = ofModel.get(series);
    if (chunks) chunks.push(chunk);
    else ofModel.set(series, [chunk]);
    this.gatheredPoints += chunk.count;
  }

  /** begin picks what has gathered for folding; call it only while nothing is folding. */
  begin(): void {
    this.folding = this.gathering;
    this.gathering = new Map();
    this.gatheredPoints = 0;
  }

  /** next names chunks of one model that take about budgetMs to fold; they stay in the queue until they are `done`. */
  next(budgetMs: number): readonly FoldTask[] {
    const [first] = this.folding;
    if (!first) return [];
    const [model, ofModel] = first;
    const tasks: FoldTask[] = [];
    let leftUs = budgetMs * 1000;
    for (const [series, waiting] of ofModel) {
      const chunks: number[] = [];
      const minutes = new Set<number>();
      for (const chunk of waiting) {
        if (leftUs <= 0) break;
        chunks.push(chunk.id);
        leftUs -= chunk.count * POINT_US + newMinutes(minutes, chunk) * ROLLUP_US;
      }
      if (chunks.length === 0) break;
      tasks.push({ model, series, chunks });
    }
    return tasks;
  }

  /** done takes tasks out that `next` has named, and tells which chunks of which series they were. */
  done(tasks: readonly FoldTask[], tell: (series: number, chunk: WaitingChunk) => void): void {
    for (const { model, series, chunks } of tasks) {
      const ofModel = this.folding.get(model);
      const waiting = ofModel?.get(series);
      if (!ofModel || !waiting) continue;
      for (const chunk of waiting.splice(0, chunks.length)) tell(series, chunk);
      if (waiting.length === 0) ofModel.delete(series);
      if (ofModel.size === 0) this.folding.delete(model);
    }
  }

  clear(): void {
    this.begin();
    this.folding.clear();
  }
}

/** newMinutes counts the minutes that a chunk may touch and `seen` lacks; no chunk crosses an hour. */
function newMinutes(seen: Set<number>, { count, minMs, maxMs }: WaitingChunk): number {
  const before = seen.size;
  const last = Math.floor(maxMs / MINUTE_MS);
  for (let minute = Math.floor(minMs / MINUTE_MS); minute <= last; minute++) seen.add(minute);
  return Math.min(seen.size - before, count);
}
