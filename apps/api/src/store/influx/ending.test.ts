import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { Ending } from './ending.js';

const LONG_MS = 60_000;

it('ends at the time limit, and says that it was that', async () => {
  const ending = Ending.begin(5);
  // It keeps no process alive by itself.
  const alive = setTimeout(() => undefined, LONG_MS);
  await new Promise((resolve) => ending.signal.addEventListener('abort', resolve));
  clearTimeout(alive);
  expect(ending.wasLate).toBe(true);
});

it.each([
  ['aborts later', false],
  ['has aborted before', true],
])('ends with a signal that %s', (_, isBefore) => {
  const [other, given] = [new AbortController(), new AbortController()];
  if (isBefore) given.abort();
  const ending = Ending.begin(LONG_MS, [other.signal, undefined, given.signal]);
  expect(ending.signal.aborted).toBe(isBefore);
  given.abort();
  expect(ending.signal.aborted).toBe(true);
  expect(ending.wasLate).toBe(false);
  ending.stop();
});

it('leaves nothing behind with a signal that lives longer', () => {
  const given = new AbortController();
  for (let request = 0; request < 100; request++) Ending.begin(LONG_MS, [given.signal]).stop();
  expect(getEventListeners(given.signal, 'abort')).toEqual([]);
});
