import type { Database } from '@tidemark/sqlite';
import { dropOldBlocks, dropOldDrifts, dropOldRecords, dropOldRollups, dropSeries, setCutoffs } from './retain.js';
import { RECORD_LIFE_MS } from './point-store.js';
import { readCutoffs, type Cutoffs } from './retention-cutoff.js';
import { floorTo, HOUR_MS, type Owner } from './rollup-id.js';
import type { Retention } from './store-messages.js';
import type { StoreState } from './store-state.js';
import type { StoreWriter } from './store-writer.js';
import type { Work } from './tended-work.js';

const SLICE_MS = 5;
const MAX_WAIT_MS = 60_000;

/**
 * RetainWork drops what is past retention, once for every hour that the data moves on: without writes nothing grows
 * old. The age of data is measured from min(clock, newest stored time), so that neither a clock that leaps ahead nor a
 * point from the future empties the store.
 */
export class RetainWork implements Work {
  readonly name = 'retention';
  private steps: Iterator<void, void> | null = null;
  private state: StoreState | null = null;
  /** What to remember once the slice is committed. */
  private effects: (() => void)[] = [];
  private doneMs = -Infinity;
  private waitingSince: number | null = null;

  constructor(
    private readonly writer: StoreWriter,
    private readonly retention: Retention,
  ) {}

  dueInMs(): number {
    if (this.steps) return 0;
    if (!(this.nowMs() > this.doneMs)) return Infinity;
    if (this.writer.state.flushQueue.isEmpty) return 0;
    // What is only in commits is not dropped: let it be flushed first, unless commits never cease.
    this.waitingSince ??= performance.now();
    return Math.max(0, this.waitingSince + MAX_WAIT_MS - performance.now());
  }

  slice(): void {
    const state = this.writer.sound();
    if (state !== this.state) this.steps = null;
    this.state = state;
    const nowMs = this.nowMs();
    let steps = this.steps;
    this.steps = null;
    this.effects = [];
    const isDone = this.writer.commit((database) => {
      steps ??= this.retain(database, nowMs);
      const end = performance.now() + SLICE_MS;
      while (performance.now() < end) if (steps.next().done) return true;
      return false;
    });
    for (const effect of this.effects) effect();
    // A slice that throws leaves no steps behind: the next one begins anew, which finds what is already dropped gone.
    this.steps = isDone ? null : steps;
    if (isDone) this.doneMs = nowMs;
    this.waitingSince = null;
  }

  private nowMs(): number {
    return floorTo(Math.min(this.writer.nowMs, this.writer.state.newestMs), HOUR_MS);
  }

  private *retain(database: Database, nowMs: number): Generator<void, void> {
    const cutoffs = this.cutoffs(readCutoffs(database), nowMs);
    setCutoffs(database, cutoffs);
    yield;
    const models = new Set<number>();
    for (const state of this.writer.state.series.values()) {
      models.add(state.model);
      yield* this.dropBlocks(database, state.id, cutoffs);
      yield* this.dropRollups(database, { kind: 'series', id: state.id }, cutoffs);
      if (state.receivedMs < cutoffs.hourMs && dropSeries(database, state)) {
        this.effects.push(() => this.writer.state.series.delete(state.id));
      }
    }
    for (const id of models) yield* this.dropRollups(database, { kind: 'model', id }, cutoffs);
    while (dropOldDrifts(database, cutoffs.hourMs) > 0) yield;
    while (dropOldRecords(database, this.writer.nowMs - RECORD_LIFE_MS) > 0) yield;
  }

  /** cutoffs are on whole hours, which no block crosses. */
  private cutoffs(before: Cutoffs, nowMs: number): Cutoffs {
    const { rawMs, minuteMs, hourMs } = this.retention;
    return {
      rawMs: Math.max(before.rawMs, floorTo(nowMs - rawMs, HOUR_MS)),
      minuteMs: Math.max(before.minuteMs, floorTo(nowMs - minuteMs, HOUR_MS)),
      hourMs: Math.max(before.hourMs, floorTo(nowMs - hourMs, HOUR_MS)),
    };
  }

  private *dropBlocks(database: Database, series: number, { rawMs }: Cutoffs): Generator<void, void> {
    for (;;) {
      const points = dropOldBlocks(database, series, rawMs);
      if (points === 0) return;
      this.effects.push(() => void (this.writer.state.points -= points));
      yield;
    }
  }

  private *dropRollups(database: Database, owner: Owner, cutoffs: Cutoffs): Generator<void, void> {
    while (dropOldRollups(database, owner, 'minute', cutoffs.minuteMs) > 0) yield;
    while (dropOldRollups(database, owner, 'hour', cutoffs.hourMs) > 0) yield;
    yield;
  }
}
