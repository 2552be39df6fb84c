import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AlertIds } from './alert-ids.js';

test('ids sort in the order in which they were made, whatever the clock does', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 200 }), (steps) => {
      const ids = new AlertIds(randomBytes);
      let nowMs = 1_800_000_000_000;
      const made = steps.map((step) => ids.next((nowMs += step)));
      expect(made.toSorted()).toEqual(made);
      expect(new Set(made).size).toBe(made.length);
      for (const id of made) expect(id).toMatch(/^[0-9a-f]{32}$/);
    }),
  );
});

test('more ids than one millisecond has room for still sort', () => {
  const ids = new AlertIds(randomBytes);
  const made = Array.from({ length: 140_000 }, () => ids.next(1_800_000_000_000));
  expect(made.every((id, index) => index === 0 || id > made[index - 1])).toBe(true);
});

test('two processes that raise in the same millisecond make different ids', () => {
  expect(new AlertIds(randomBytes).next(1)).not.toBe(new AlertIds(randomBytes).next(1));
});
