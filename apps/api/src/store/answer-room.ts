import type { AggregateQuery } from './point-store.js';
import { needsQuantiles } from './quantile-of.js';
import { floorTo } from './rollup-id.js';

/** MAX_ANSWER_VALUES is the most values in the answer to an aggregate: those of all groups, and the tags that name each. */
export const MAX_ANSWER_VALUES = 100_000;

/**
 * MAX_PERCENTILES is the most values of all groups when they are percentiles: until it is read, each is a sketch of some KB.
 * A single group may have as many as any other stat has.
 */
export const MAX_PERCENTILES = 25_000;

/** MAX_ANSWER_GROUPS is the most groups in an answer: one costs as much as ten values, however few it has. */
export const MAX_ANSWER_GROUPS = 10_000;

/** ANSWER_TOO_LARGE is the code of the error for a query whose answer would have more groups than mostGroups. */
export const ANSWER_TOO_LARGE = 'ANSWER_TOO_LARGE';

/** AnswerShape is the part of a query that the size of its answer depends on. */
export type AnswerShape = Pick<AggregateQuery, 'sinceMs' | 'untilMs' | 'windowMs' | 'metrics' | 'stat' | 'groupBy'>;

/** windowCount is how many windows a query touches. */
export function windowCount({ sinceMs, untilMs, windowMs }: AnswerShape): number {
  return Math.max(0, Math.ceil((untilMs - floorTo(sinceMs, windowMs)) / windowMs));
}

/** mostGroups is how many groups the answer to a query has room for; 0 when even one would be too large. */
export function mostGroups(query: AnswerShape): number {
  const { metrics, stat, groupBy = [] } = query;
  const values = windowCount(query) * metrics.length;
  const groups = Math.min(MAX_ANSWER_GROUPS, Math.floor(MAX_ANSWER_VALUES / Math.max(1, values + groupBy.length)));
  if (!needsQuantiles(stat)) return groups;
  return Math.min(groups, Math.max(1, Math.floor(MAX_PERCENTILES / Math.max(1, values))));
}

/** AnswerRoom lets the groups of an answer in for as long as there is room for them. */
export class AnswerRoom {
  private admitted = 0;

  constructor(private readonly groups: number) {}

  /** of is the room of the answer to a query. It throws like admit when there is none for a single group. */
  static of(query: AnswerShape): AnswerRoom {
    const groups = mostGroups(query);
    if (groups === 0) throw tooLarge(groups);
    return new AnswerRoom(groups);
  }

  /** admit throws a RangeError with the code ANSWER_TOO_LARGE when there is no room for one more group. */
  admit(): void {
    if (++this.admitted > this.groups) throw tooLarge(this.groups);
  }
}

function tooLarge(groups: number): RangeError {
  return Object.assign(new RangeError(`the answer has room for ${groups} groups, and there are more`), {
    code: ANSWER_TOO_LARGE,
  });
}
