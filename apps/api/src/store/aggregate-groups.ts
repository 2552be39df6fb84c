import type { AnswerRoom } from './answer-room.js';
import type { Chunk } from './chunk.js';
import type { RollupReader } from './rollup-codec.js';
import type { Owner } from './rollup-id.js';
import type { StoredModel } from './series-catalog.js';
import { Tally } from './tally.js';

/** Grouping is the part of a query that says what becomes one group. */
export interface Grouping {
  readonly metrics: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly groupBy?: readonly string[];
}

/** SlotShape is how many windows a group has, whether they need quantiles, and for how many groups there is room. */
export interface SlotShape {
  readonly windows: number;
  readonly hasQuantiles: boolean;
  readonly room: AnswerRoom;
}

/** ModelSlots tells, for a model of a query, to which group the points of a series belong (none: undefined). */
export interface ModelSlots {
  readonly model: number;
  readonly slotOf: (series: number) => AggregateSlot | undefined;
}

/** Groups are the groups of a query, ordered by their values, and the way from a series to its group. */
export interface Groups {
  readonly slots: readonly AggregateSlot[];
  readonly models: readonly ModelSlots[];
}

/** Rows are the rows from..to-1 of a chunk. */
interface Rows {
  readonly from: number;
  readonly to: number;
}

/**
 * AggregateSlot gathers one group: whose rollups it is made of, and a tally for each metric and window. It takes room in the
 * answer, and memory for its windows, with its first points: many series of a model may have none in the range.
 */
export class AggregateSlot {
  readonly owners: Owner[] = [];
  private readonly names: readonly string[];
  private filled: ReadonlyMap<string, (Tally | undefined)[]> | null = null;

  constructor(
    readonly group: Readonly<Record<string, string>>,
    metrics: readonly string[],
    private readonly shape: SlotShape,
  ) {
    this.names = [...new Set(metrics)];
  }

  get hasPoints(): boolean {
    return this.filled !== null;
  }

  addRollup(window: number, rollup: RollupReader): void {
    for (const [name, tallies] of this.tallies()) {
      const stored = rollup.find(name);
      if (stored) this.tallyAt(tallies, window).mergeStored(stored);
    }
  }

  /** columnsOf are a chunk's columns of the group's metrics, for addPoints. */
  columnsOf(chunk: Chunk): readonly (Float64Array | null)[] {
    return this.names.map((name) => chunk.metric(name));
  }

  addPoints(window: number, columns: readonly (Float64Array | null)[], { from, to }: Rows): void {
    let place = 0;
    for (const tallies of this.tallies().values()) {
      const column = columns[place++];
      if (column) this.tallyAt(tallies, window).addColumn(column, from, to);
    }
  }

  valuesOf(metric: string, reduce: (tally: Tally) => number | null): readonly (number | null)[] {
    const tallies = this.filled?.get(metric) ?? this.empty();
    return tallies.map((tally) => (tally ? reduce(tally) : null));
  }

  private tallies(): ReadonlyMap<string, (Tally | undefined)[]> {
    if (this.filled) return this.filled;
    this.shape.room.admit();
    return (this.filled = new Map(this.names.map((name) => [name, this.empty()])));
  }

  private empty(): (Tally | undefined)[] {
    return Array.from({ length: this.shape.windows }, () => undefined);
  }

  private tallyAt(tallies: (Tally | undefined)[], window: number): Tally {
    const tally = tallies[window] ?? new Tally(this.shape.hasQuantiles);
    tallies[window] = tally;
    return tally;
  }
}

/** MODEL_ID is the name by which groupBy asks for the model instead of a tag. */
const MODEL_ID = 'model_id';

/**
 * groupsOf splits the found series into groups; without groupBy there is exactly one. Whole models are summed up by
 * their own rollups, parts of models by those of their series. A series without a tag that is grouped by counts as
 * having it empty.
 */
export function groupsOf(found: readonly StoredModel[], grouping: Grouping, shape: SlotShape): Groups {
  const { metrics, groupBy = [] } = grouping;
  const isWhole = Object.keys(grouping.tags ?? {}).length === 0 && groupBy.every((name) => name === MODEL_ID);
  const slots = new Map<string, AggregateSlot>();
  const slotFor = (tags: Readonly<Record<string, string>>, modelId: string): AggregateSlot => {
    const values = groupBy.map((name) => (name === MODEL_ID ? modelId : Object.hasOwn(tags, name) ? tags[name] : ''));
    const key = JSON.stringify(values);
    const group = Object.fromEntries(groupBy.map((name, i) => [name, values[i]]));
    const slot = slots.get(key) ?? new AggregateSlot(group, metrics, shape);
    slots.set(key, slot);
    return slot;
  };
  if (groupBy.length === 0) slotFor({}, '');
  const models = found.map((model): ModelSlots => {
    if (isWhole) {
      const slot = slotFor({}, model.modelId);
      slot.owners.push({ kind: 'model', id: model.id });
      return { model: model.id, slotOf: () => slot };
    }
    const bySeries = new Map<number, AggregateSlot>();
    for (const { id, tags } of model.series) {
      const slot = slotFor(tags, model.modelId);
      slot.owners.push({ kind: 'series', id });
      bySeries.set(id, slot);
    }
    return { model: model.id, slotOf: (series) => bySeries.get(series) };
  });
  const ordered = [...slots].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, slot]) => slot);
  return { slots: ordered, models };
}
