import { expect, it } from 'vitest';
import { Follows } from './follows.js';

it('an instance that says nothing any more is forgotten', () => {
  let now = 0;
  const follows = new Follows(() => now);
  follows.hear(['a', 'b']);
  now += 10_000;
  follows.hear(['a']);
  now += 5000;
  expect([follows.has('a'), follows.has('b'), follows.has('c')]).toEqual([true, false, false]);
  now += 10_000;
  expect(follows.has('a')).toBe(false);
});

it('projects past the bound are not learnt until others are forgotten', () => {
  let now = 0;
  const follows = new Follows(() => now);
  follows.hear(Array.from({ length: 20_000 }, (_, i) => `p${i}`));
  expect([follows.has('p0'), follows.has('p9999'), follows.has('p10000')]).toEqual([true, true, false]);
  now += 15_000;
  follows.hear(['p10000']);
  expect(follows.has('p10000')).toBe(true);
});
