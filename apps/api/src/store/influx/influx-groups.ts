import { AggregateSlot, type Grouping, type SlotShape } from '../aggregate-groups.js';
import { quoteName } from './influx-ql.js';
import { TAG_PREFIX } from './names.js';
import { columnOf, type Cell, type ResultSet, textOf } from './query-answer.js';
import { escapeText, unescapeTagValue } from './text-escape.js';

const MODEL_ID = 'model_id';

/** InfluxGroups splits rows into groups by the tags that they carry; without groupBy there is exactly one group. */
export class InfluxGroups {
  private readonly slots = new Map<string, AggregateSlot>();
  private readonly names: readonly string[];

  constructor(
    private readonly grouping: Grouping,
    private readonly shape: SlotShape,
  ) {
    this.names = grouping.groupBy ?? [];
    if (this.names.length === 0) this.slotFor([]);
  }

  /** isWhole tells whether groups are whole models: their own rollups then do. */
  get isWhole(): boolean {
    const { tags = {}, groupBy = [] } = this.grouping;
    return Object.keys(tags).length === 0 && groupBy.every((name) => name === MODEL_ID);
  }

  /** columns are what a query must select for slotOf, with a comma before each. */
  get columns(): string {
    return this.names.map((name) => `, ${quoteName(columnName(name))}`).join('');
  }

  /** slotOf gives the way from a row of an answer to its group. */
  slotOf(set: ResultSet): (row: readonly Cell[]) => AggregateSlot {
    const places = this.names.map((name) => columnOf(set, columnName(name)));
    return (row) => this.slotFor(places.map((place) => unescapeTagValue(textOf(row[place]))));
  }

  /** sorted are the groups in the order of their values. */
  sorted(): readonly AggregateSlot[] {
    return [...this.slots].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, slot]) => slot);
  }

  private slotFor(values: readonly string[]): AggregateSlot {
    const key = values.length === 0 ? '' : JSON.stringify(values);
    let slot = this.slots.get(key);
    if (!slot) {
      const group = Object.fromEntries(this.names.map((name, i) => [name, values[i]]));
      this.slots.set(key, (slot = new AggregateSlot(group, this.grouping.metrics, this.shape)));
    }
    return slot;
  }
}

function columnName(name: string): string {
  return name === MODEL_ID ? 'model' : escapeText(TAG_PREFIX + name);
}
