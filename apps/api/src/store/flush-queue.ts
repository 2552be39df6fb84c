import type { Commit } from './commit.js';
import type { SeriesState } from './store-state.js';

/** WaitingCommit is a committed batch whose points are not yet in rollups and blocks. */
export interface WaitingCommit {
  readonly id: number;
  readonly count: number;
  /** Null when it is to be read from the file: memory for bodies is bounded. */
  readonly body: ArrayBuffer | null;
}

/** FlushTask is the points of one series in a generation of commits. */
export interface FlushTask {
  readonly series: SeriesState;
  readonly points: number;
  /** In step: commits by rising id, and the rows in them. */
  readonly commits: readonly Commit[];
  readonly rows: readonly (readonly number[])[];
}

const MAX_BODY_BYTES = 64 << 20;
/** A generation is opened in one go, so it is bounded however much has gathered. */
const MAX_GENERATION_POINTS = 150_000;

/**
 * FlushQueue holds the commits that wait to be flushed, oldest first, and the generation that is being flushed: its
 * points by model and series. Each rollup is written once a generation, while new commits gather for the next one.
 */
export class FlushQueue {
  private readonly gathering: WaitingCommit[] = [];
  private gatheredPoints = 0;
  private gatheredBytes = 0;
  private models = new Map<number, FlushTask[]>();
  private generationEnd = 0;

  /** points are how many have gathered for the next generation. */
  get points(): number {
    return this.gatheredPoints;
  }

  get isEmpty(): boolean {
    return this.gathering.length === 0 && this.generationEnd === 0;
  }

  /** isFlushing while the generation that `begin` picked has tasks left. */
  get isFlushing(): boolean {
    return this.models.size > 0;
  }

  /** droppableId is the highest commit of which every point is flushed, so that all up to it can be dropped; 0 if none. */
  get droppableId(): number {
    return this.isFlushing ? 0 : this.generationEnd;
  }

  add(commit: WaitingCommit): void {
    const bytes = commit.body?.byteLength ?? 0;
    const keeps = this.gatheredBytes + bytes <= MAX_BODY_BYTES;
    this.gathering.push(keeps ? commit : { ...commit, body: null });
    this.gatheredPoints += commit.count;
    if (keeps) this.gatheredBytes += bytes;
  }

  /** begin makes the oldest commits a generation, once the one before is dropped; `open` may return null for one that cannot be read. */
  begin(series: ReadonlyMap<number, SeriesState>, open: (commit: WaitingCommit) => Commit | null): void {
    const tasks = new Map<number, { series: SeriesState; points: number; commits: Commit[]; rows: number[][] }>();
    let points = 0;
    let taken = 0;
    for (const waiting of this.gathering) {
      if (taken > 0 && points + waiting.count > MAX_GENERATION_POINTS) break;
      taken++;
      points += waiting.count;
      this.gatheredBytes -= waiting.body?.byteLength ?? 0;
      this.generationEnd = waiting.id;
      const commit = open(waiting);
      for (let row = 0; commit && row < commit.owners.length; row++) {
        const owner = series.get(commit.owners[row]);
        // After a crash a commit can be flushed for some of its series already.
        if (!owner || owner.flushedCommit >= commit.id) continue;
        let task = tasks.get(owner.id);
        if (!task) tasks.set(owner.id, (task = { series: owner, points: 0, commits: [], rows: [] }));
        if (task.commits.at(-1) !== commit) {
          task.commits.push(commit);
          task.rows.push([]);
        }
        task.rows[task.rows.length - 1].push(row);
        task.points++;
      }
    }
    this.gathering.splice(0, taken);
    this.gatheredPoints -= points;
    for (const task of tasks.values()) {
      const ofModel = this.models.get(task.series.model);
      if (ofModel) ofModel.push(task);
      else this.models.set(task.series.model, [task]);
    }
  }

  /** dropped tells that the generation's commits are deleted. */
  dropped(): void {
    this.generationEnd = 0;
  }

  /** next is some tasks of one model, which take about budgetMs; they stay in the queue until they are `done`. */
  next(budgetMs: number): readonly FlushTask[] {
    const [first] = this.models.values();
    const tasks: FlushTask[] = [];
    let leftUs = budgetMs * 1000;
    for (const task of first ?? []) {
      if (tasks.length > 0 && leftUs <= 0) break;
      tasks.push(task);
      leftUs -= TASK_US + POINT_US * task.points;
    }
    return tasks;
  }

  /** done takes tasks out that `next` has returned. */
  done(tasks: readonly FlushTask[]): void {
    for (const task of tasks) {
      const ofModel = this.models.get(task.series.model) ?? [];
      ofModel.splice(ofModel.indexOf(task), 1);
      if (ofModel.length === 0) this.models.delete(task.series.model);
    }
  }
}

/** Rough costs: a block and four rollups are written in 250 µs, a point is gathered, summed up and packed in 1.5 µs. */
const TASK_US = 250;
const POINT_US = 1.5;
