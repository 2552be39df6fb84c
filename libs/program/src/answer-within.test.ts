import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { answerWithin } from './answer-within.js';

/** A clock of its own, so that the timers of whoever runs this test are not counted. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

it('passes an answer on, also one that is there at once, and leaves no timer behind', async () => {
  expect(await answerWithin(60_000, () => 7)).toBe(7);
  expect(await answerWithin(60_000, async () => 'later')).toBe('later');
  expect(vi.getTimerCount()).toBe(0);
});

it('passes a fault on, whether it is thrown or the answer', async () => {
  await expect(answerWithin(60_000, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  const broken = (): number => {
    throw new Error('broken');
  };
  await expect(answerWithin(60_000, broken)).rejects.toThrow('broken');
  expect(vi.getTimerCount()).toBe(0);
});

it('gives up when there is no answer, and what fails later is told to nobody', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  let fail: (error: Error) => void = () => undefined;
  const asked = answerWithin(1, () => new Promise<never>((_resolve, reject) => (fail = reject)));
  const given = expect(asked).rejects.toThrow('no answer in time');
  vi.advanceTimersByTime(1);
  await given;
  fail(new Error('too late'));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});
