import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByRecency, type Link } from './by-recency.js';

interface Item extends Link<Item> {
  readonly name: number;
}

it('ByRecency lists items as a plain list would that is put in order with each step', () => {
  const step = fc.record({ kind: fc.constantFrom('touch', 'touch', 'remove'), name: fc.nat(8) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const items = Array.from({ length: 9 }, (_, name): Item => ({ name, older: null, newer: null }));
      const list = new ByRecency<Item>();
      let wanted: Item[] = [];
      for (const { kind, name } of steps) {
        const item = items[name];
        if (!item) continue;
        if (kind === 'touch') {
          if (wanted.includes(item)) list.touch(item);
          else list.add(item);
          wanted = [...wanted.filter((one) => one !== item), item];
        } else if (wanted.includes(item)) {
          list.remove(item);
          wanted = wanted.filter((one) => one !== item);
        }
        const found: number[] = [];
        for (let at = list.oldest; at; at = at.newer) found.push(at.name);
        expect(found).toEqual(wanted.map((one) => one.name));
      }
    }),
  );
});
