import type { Span } from '../aggregate-plan.js';
import { windowOf, type Windows } from '../aggregate-windows.js';
import { METRICS } from '../chunk-layout.js';
import type { Range } from '../point-store.js';
import { floorTo, HOUR_MS, type Resolution, widthOf } from '../rollup-id.js';
import { ofOwner, withTags } from './conditions.js';
import type { InfluxConnection } from './influx-connection.js';
import type { InfluxGroups } from './influx-groups.js';
import { quoteName } from './influx-ql.js';
import type { Mark } from './mark.js';
import { MODEL_ROLLUPS, POINTS, SERIES_ROLLUPS, VALUE_PREFIX } from './names.js';
import { columnOf, numberOf, type ResultSet, textOf } from './query-answer.js';
import { readSlices } from './read-slices.js';
import { openBody } from './rollup-body.js';
import { escapeText } from './text-escape.js';
import type { Uncounted } from './uncounted.js';

/** FillExtent is what an aggregate asks for, and what its marks and receipts said. */
export interface FillExtent {
  readonly range: Range;
  readonly metrics: readonly string[];
  readonly windows: Windows;
  readonly marks: readonly Mark[];
  readonly uncounted: Uncounted;
}

/** AggregateFill adds what one aggregate is made of to its groups. */
export class AggregateFill {
  private readonly marks: ReadonlyMap<number, Mark>;
  private readonly where: string;
  private readonly metrics: readonly string[];

  constructor(
    private readonly connection: InfluxConnection,
    private readonly groups: InfluxGroups,
    private readonly extent: FillExtent,
  ) {
    this.marks = new Map(extent.marks.map((mark) => [mark.slot, mark]));
    this.metrics = [...new Set(extent.metrics)];
    this.where = ofOwner(extent.range) + withTags(extent.range.tags);
  }

  /** addHours adds whole hours; what flushes counted since the last compaction comes from the rows by the minute. */
  async addHours(span: Span): Promise<void> {
    await this.addRollups('hour', span, '', (mark, part) => part <= mark.compaction && !mark.voidCompactions.has(part));
    for (const mark of this.extent.marks) {
      const isFresh = ` AND "slot" = '${mark.slot}' AND "part" > ${mark.compacted}`;
      for (const [low, high] of mark.hours.intervals()) {
        const fromMs = Math.max(span.fromMs, low * HOUR_MS);
        const toMs = Math.min(span.toMs, (high + 1) * HOUR_MS);
        if (fromMs < toMs) await this.addRollups('minute', { fromMs, toMs }, isFresh, isFlushed);
      }
    }
  }

  /** addMinutes adds whole minutes. */
  addMinutes(span: Span): Promise<void> {
    return this.addRollups('minute', span, '', isFlushed);
  }

  /** addUncounted adds the points of a span that no rollup counts. */
  async addUncounted(span: Span): Promise<void> {
    const { uncounted } = this.extent;
    const condition = uncounted.condition();
    if (condition !== null)
      await this.addPoints(span, ` AND ${condition}`, (writer, seq) => uncounted.has(writer, seq));
  }

  /** addRaw adds all points of a span. */
  addRaw(span: Span): Promise<void> {
    return this.addPoints(span, '', () => true);
  }

  private async addRollups(
    resolution: Resolution,
    span: Span,
    more: string,
    isValid: (mark: Mark, part: number) => boolean,
  ): Promise<void> {
    const name = this.groups.isWhole ? MODEL_ROLLUPS : SERIES_ROLLUPS;
    const select = `SELECT "body", "part", "slot"${this.groups.columns} FROM "${name}" WHERE ${this.where}${more}`;
    for await (const set of readSlices(this.connection, { shelf: resolution, select, span })) {
      const [time, body, part, slot] = ['time', 'body', 'part', 'slot'].map((column) => columnOf(set, column));
      const slotOf = this.groups.slotOf(set);
      for (const row of set.values) {
        const mark = this.marks.get(Number(textOf(row[slot])));
        if (!mark || !isValid(mark, numberOf(row[part]) ?? 0)) continue;
        const startMs = floorTo(numberOf(row[time]) ?? 0, widthOf(resolution));
        slotOf(row).addRollup(windowOf(this.extent.windows, startMs), openBody(textOf(row[body])));
      }
    }
  }

  private async addPoints(span: Span, more: string, isWanted: (writer: number, seq: number) => boolean): Promise<void> {
    const fields = this.metrics.map((name) => quoteName(fieldOf(name)));
    const columns = ['"seq"', '"writer"', ...fields].join(', ');
    const select = `SELECT ${columns}${this.groups.columns} FROM "${POINTS}" WHERE ${this.where}${more}`;
    for await (const set of readSlices(this.connection, { shelf: 'raw', select, span })) this.addRows(set, isWanted);
  }

  private addRows(set: ResultSet, isWanted: (writer: number, seq: number) => boolean): void {
    const [time, seq, writer] = ['time', 'seq', 'writer'].map((column) => columnOf(set, column));
    const columns = this.metrics.map((name) => {
      const place = columnOf(set, fieldOf(name));
      return Float64Array.from(set.values, (row) => numberOf(row[place]) ?? NaN);
    });
    const slotOf = this.groups.slotOf(set);
    set.values.forEach((row, i) => {
      if (!isWanted(Number(textOf(row[writer])), numberOf(row[seq]) ?? 0)) return;
      const window = windowOf(this.extent.windows, numberOf(row[time]) ?? 0);
      slotOf(row).addPoints(window, columns, { from: i, to: i + 1 });
    });
  }
}

function isFlushed(mark: Mark, part: number): boolean {
  return part <= mark.flush && !mark.voidFlushes.has(part);
}

/** fieldOf is the field of a metric; a custom value with the name of a built-in metric is not summed up. */
function fieldOf(metric: string): string {
  return METRICS.some((name) => name === metric) ? metric : escapeText(VALUE_PREFIX + metric);
}
