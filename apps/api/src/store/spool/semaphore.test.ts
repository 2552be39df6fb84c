import { expect, it } from 'vitest';
import { Semaphore } from './semaphore.js';

/** Work that a test ends. */
function startable(name: string, log: string[]) {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const work = async (): Promise<string> => {
    log.push(`${name} begins`);
    await ended;
    log.push(`${name} ends`);
    return name;
  };
  return { work, end };
}

it('runs as many at a time as there are places, in the order of asking', async () => {
  const log: string[] = [];
  const semaphore = new Semaphore(2);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => startable(name, log));
  const all = Promise.all([a, b, c, d].map(({ work }) => semaphore.run(work)));
  await new Promise(setImmediate);
  expect(log).toEqual(['a begins', 'b begins']);
  b.end();
  await new Promise(setImmediate);
  expect(log.slice(2)).toEqual(['b ends', 'c begins']);
  for (const { end } of [a, c, d]) end();
  expect(await all).toEqual(['a', 'b', 'c', 'd']);
});

it('gives a place back when work fails', async () => {
  const semaphore = new Semaphore(1);
  await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await semaphore.run(() => Promise.resolve(1))).toBe(1);
});

it('runs alone what must be, after all that was asked before and before all that was asked later', async () => {
  const log: string[] = [];
  const semaphore = new Semaphore(2);
  const [a, b, alone, again, c] = ['a', 'b', 'alone', 'again', 'c'].map((name) => startable(name, log));
  const all = [semaphore.run(a.work), semaphore.run(b.work), semaphore.runAlone(alone.work)];
  all.push(semaphore.runAlone(again.work), semaphore.run(c.work));
  a.end();
  await new Promise(setImmediate);
  expect(log).toEqual(['a begins', 'b begins', 'a ends']);
  for (const { end } of [b, alone, again, c]) end();
  expect(await Promise.all(all)).toEqual(['a', 'b', 'alone', 'again', 'c']);
  const order = ['b ends', 'alone begins', 'alone ends', 'again begins', 'again ends', 'c begins', 'c ends'];
  expect(log.slice(3)).toEqual(order);
});
