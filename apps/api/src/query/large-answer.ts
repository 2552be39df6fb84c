import { HttpProblem } from '../platform/problem.js';
import {
  ANSWER_TOO_LARGE,
  type AnswerShape,
  MAX_ANSWER_GROUPS,
  MAX_ANSWER_VALUES,
  MAX_PERCENTILES,
  mostGroups,
  windowCount,
} from '../store/answer-room.js';

/** tooLarge is the problem to answer with when a store found an aggregate too large, null for any other error. */
export function tooLarge(error: unknown, asked: AnswerShape): HttpProblem | null {
  if (!(error instanceof Error) || !('code' in error) || error.code !== ANSWER_TOO_LARGE) return null;
  const { metrics, groupBy = [] } = asked;
  const each = `${count(windowCount(asked), 'window')} of ${count(metrics.length, 'metric')}`;
  const most = `${thousands(MAX_ANSWER_VALUES)} values (${thousands(MAX_PERCENTILES)} where several groups have percentiles)`;
  const limits = `an answer has at most ${most} and ${count(MAX_ANSWER_GROUPS, 'group')}`;
  const detail =
    `more than ${count(mostGroups(asked), 'group')} with ${each} each are asked for, and ${limits}: ` +
    'take a longer window, less time, one metric, one model_id or fewer names in group_by';
  const pointer = groupBy.length > 0 ? '/group_by' : '/window';
  return new HttpProblem('answer_too_large', detail, {
    errors: [{ pointer, code: 'range', message: `asks for too much: ${limits}` }],
  });
}

function count(n: number, noun: string): string {
  return `${thousands(n)} ${noun}${n === 1 ? '' : 's'}`;
}

function thousands(n: number): string {
  return n.toLocaleString('en-US');
}
