import { describe, expect, it } from 'vitest';
import {
  AnswerRoom,
  type AnswerShape,
  MAX_ANSWER_GROUPS,
  MAX_ANSWER_VALUES,
  mostGroups,
  windowCount,
} from './answer-room.js';

const MINUTE = 60_000;
const asked = (more: Partial<AnswerShape> = {}): AnswerShape => ({
  sinceMs: 0,
  untilMs: MINUTE,
  windowMs: MINUTE,
  metrics: ['latency'],
  stat: 'mean',
  groupBy: ['id'],
  ...more,
});

describe('AnswerRoom', () => {
  it.each([
    ['a value and a tag a group', asked(), MAX_ANSWER_GROUPS],
    ['windows', asked({ untilMs: 99 * MINUTE }), 1000],
    ['windows that a range only touches', asked({ sinceMs: MINUTE - 1, untilMs: 99 * MINUTE + 1 }), 990],
    ['metrics', asked({ untilMs: 9 * MINUTE, metrics: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'] }), 1000],
    ['tags', asked({ groupBy: Array.from({ length: 99 }, (_, i) => `t${i}`) }), 1000],
    ['all windows of six metrics', asked({ untilMs: 11_000 * MINUTE, metrics: ['a', 'b', 'c', 'd', 'e', 'f'] }), 1],
    ['more than one answer holds', asked({ untilMs: MAX_ANSWER_VALUES * MINUTE }), 0],
    ['percentiles', asked({ untilMs: 50 * MINUTE, stat: 'p95' }), 500],
    ['a window of percentiles', asked({ stat: 'p99' }), MAX_ANSWER_GROUPS],
    ['percentiles of one group', asked({ untilMs: 90_000 * MINUTE, stat: 'p50' }), 1],
    ['no time at all', asked({ untilMs: 0 }), MAX_ANSWER_GROUPS],
  ])('counts %s', (_, shape, groups) => {
    expect(mostGroups(shape)).toBe(groups);
    if (groups > 0) expect(groups * (windowCount(shape) * shape.metrics.length + 1)).toBeLessThanOrEqual(100_000);
  });

  it('lets in as many groups as there is room for, and no more', () => {
    const room = AnswerRoom.of(asked({ untilMs: 40_000 * MINUTE }));
    room.admit();
    room.admit();
    expect(() => room.admit()).toThrow(expect.objectContaining({ code: 'ANSWER_TOO_LARGE' }));
  });

  it('is none where a single group is too large', () => {
    expect(() => AnswerRoom.of(asked({ untilMs: 200_000 * MINUTE }))).toThrow(
      expect.objectContaining({ code: 'ANSWER_TOO_LARGE' }),
    );
  });
});
