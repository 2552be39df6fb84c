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
  /** By rising id. */
  readonly commits: readonly Commit[];
  /** The rows in the first commit, then those in the next, and so on: a list for each would be a thousand times 100 lists. */
  readonly rows: readonly number[];
  /** In step with the commits: where the rows of each end. */
  readonly ends: readonly number[];
}

const MAX_BODY_BYTES = 32 << 20;
/** A generation is held open in memory, so it is bounded however much has gathered. */
const MAX_GENERATION_POINTS = 150_000;
/** A task is flushed in one transaction, so it is bounded too, to a commit more than this. */
const MAX_TASK_POINTS = 4096;
/** Rough costs: a block and four rollups are written in 400 µs, a point is gathered, summed up and packed in 2 µs. */
const TASK_US = 400;
const POINT_US = 2;

interface OpenTask extends FlushTask {
  points: number;
  readonly commits: Commit[];
  readonly rows: number[];
  readonly ends: number[];
}

/** FlushSource is what `collect` needs to know of the file. */
export interface FlushSource {
  readonly series: ReadonlyMap<number, SeriesState>;
  /** open may return null for a commit that cannot be read. */
  readonly open: (commit: WaitingCommit) => Commit | null;
}

/**
 * FlushQueue holds the commits that wait to be flushed, oldest first, and the generation that is being flushed: it is
 * collected (points sorted by model and series), then flushed task by task, then its commits are dropped, while new
 * commits gather for the next one. So each rollup is written once a generation.
 */
export class FlushQueue {
  private readonly gathering: WaitingCommit[] = [];
  private gatheredPoints = 0;
  private gatheredBytes = 0;
  private phase: 'idle' | 'collecting' | 'flushing' | 'dropping' = 'idle';
  private pointsToCollect = 0;
  private lastId = 0;
  private readonly models = new Map<number, OpenTask[]>();
  /** The newest task of each series, by its id. */
  private latest: (OpenTask | undefined)[] = [];

  /** points are how many have gathered for the next generation. */
  get points(): number {
    return this.gatheredPoints;
  }

  /** step is what is to be done next; `idle` while nothing but gathering goes on. */
  get step(): 'idle' | 'collecting' | 'flushing' | 'dropping' {
    return this.phase;
  }

  get isEmpty(): boolean {
    return this.gathering.length === 0 && this.phase === 'idle';
  }

  /** droppableId is, while dropping, the highest commit of the generation: all up to it are flushed. */
  get droppableId(): number {
    return this.phase === 'dropping' ? this.lastId : 0;
  }

  add(commit: WaitingCommit): void {
    const bytes = commit.body?.byteLength ?? 0;
    const keeps = this.gatheredBytes + bytes <= MAX_BODY_BYTES;
    this.gathering.push(keeps ? commit : { ...commit, body: null });
    this.gatheredPoints += commit.count;
    if (keeps) this.gatheredBytes += bytes;
  }

  /** begin makes what has gathered (or the oldest part of it) a generation; only to be called when idle. */
  begin(): void {
    this.phase = 'collecting';
    this.pointsToCollect = Math.min(this.gatheredPoints, MAX_GENERATION_POINTS);
  }

  /** collect takes commits into the generation until `isTime`. */
  collect({ series, open }: FlushSource, isTime: () => boolean): void {
    do {
      const [waiting] = this.gathering;
      // What throws must throw before anything is changed: nothing may be sorted in twice.
      const commit = open(waiting);
      this.gathering.shift();
      this.pointsToCollect -= waiting.count;
      this.gatheredPoints -= waiting.count;
      this.gatheredBytes -= waiting.body?.byteLength ?? 0;
      this.lastId = waiting.id;
      if (commit) this.sortIn(commit, series);
    } while (this.pointsToCollect > 0 && !isTime());
    if (this.pointsToCollect > 0) return;
    this.latest = [];
    this.phase = this.models.size > 0 ? 'flushing' : 'dropping';
  }

  /**
   * next is the tasks of one model, each of another series, that fit into budgetMs, at least one; they stay in the queue
   * until they are `done`.
   */
  next(budgetMs: number): readonly FlushTask[] {
    const [first] = this.models.values();
    const tasks: FlushTask[] = [];
    let leftUs = budgetMs * 1000;
    for (const task of first ?? []) {
      const costUs = TASK_US + POINT_US * task.points;
      if (tasks.length > 0 && (costUs > leftUs || tasks.some(({ series }) => series === task.series))) break;
      tasks.push(task);
      leftUs -= costUs;
    }
    return tasks;
  }

  /** done takes tasks out that `next` has returned. */
  done(tasks: readonly FlushTask[]): void {
    if (tasks.length === 0) return;
    const { model } = tasks[0].series;
    const ofModel = this.models.get(model) ?? [];
    ofModel.splice(0, tasks.length);
    if (ofModel.length === 0) this.models.delete(model);
    if (this.models.size === 0) this.phase = 'dropping';
  }

  /** dropped tells that the generation's commits are deleted. */
  dropped(): void {
    this.phase = 'idle';
  }

  private sortIn(commit: Commit, series: ReadonlyMap<number, SeriesState>): void {
    const { owners } = commit;
    for (let row = 0; row < owners.length; row++) {
      let task = this.latest[owners[row]];
      if (!task || (task.points >= MAX_TASK_POINTS && task.commits[task.commits.length - 1] !== commit)) {
        const owner = series.get(owners[row]);
        // After a crash a commit can be flushed for some of its series already.
        if (!owner || owner.flushedCommit >= commit.id) continue;
        task = { series: owner, points: 0, commits: [], rows: [], ends: [] };
        this.latest[owner.id] = task;
        const ofModel = this.models.get(owner.model);
        if (ofModel) ofModel.push(task);
        else this.models.set(owner.model, [task]);
      }
      if (task.commits[task.commits.length - 1] !== commit) {
        task.commits.push(commit);
        task.ends.push(0);
      }
      task.rows.push(row);
      task.ends[task.ends.length - 1] = task.rows.length;
      task.points++;
    }
  }
}
