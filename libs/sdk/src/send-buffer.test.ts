import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SendBuffer } from './send-buffer.js';

interface Item {
  readonly id: number;
  readonly bytes: number;
}

describe('SendBuffer', () => {
  it('drops the oldest when it is full', () => {
    const buffer = new SendBuffer<Item>(2, 1_000);
    expect([1, 2, 3].map((id) => buffer.push({ id, bytes: 1 }))).toEqual([0, 0, 1]);
    expect(buffer.shift()?.id).toBe(2);
  });

  it('drops as many as an item needs bytes', () => {
    const buffer = new SendBuffer<Item>(10, 10);
    for (const id of [1, 2, 3]) buffer.push({ id, bytes: 3 });
    expect(buffer.push({ id: 4, bytes: 6 })).toBe(2);
    expect(buffer.bytes).toBe(9);
    expect(buffer.peek()?.id).toBe(3);
  });

  it('takes an item that is larger than itself, alone', () => {
    const buffer = new SendBuffer<Item>(10, 10);
    buffer.push({ id: 1, bytes: 3 });
    expect(buffer.push({ id: 2, bytes: 50 })).toBe(1);
    expect(buffer.size).toBe(1);
  });

  it('behaves as a list that loses its head, whatever is done to it', () => {
    const operation = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('push'), bytes: fc.integer({ min: 1, max: 9 }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('shift'), bytes: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('clear'), bytes: fc.constant(0) }) },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(operation, { maxLength: 200 }), (maxItems, operations) => {
        const buffer = new SendBuffer<Item>(maxItems, 30);
        let model: Item[] = [];
        let gone = 0;
        operations.forEach(({ do: what, bytes }, id) => {
          const total = (): number => model.reduce((sum, item) => sum + item.bytes, 0);
          if (what === 'push') {
            let lost = 0;
            while (model.length > 0 && (model.length === maxItems || total() + bytes > 30)) {
              model.shift();
              lost++;
            }
            model.push({ id, bytes });
            gone += lost;
            expect(buffer.push({ id, bytes })).toBe(lost);
          } else if (what === 'shift') {
            if (model.length > 0) gone++;
            expect(buffer.shift()).toEqual(model.shift());
          } else {
            gone += model.length;
            expect(buffer.clear()).toBe(model.length);
            model = [];
          }
          expect(buffer.peek()).toEqual(model[0]);
          expect([buffer.size, buffer.bytes, buffer.head]).toEqual([model.length, total(), gone]);
          expect(buffer.tail).toBe(gone + model.length);
        });
      }),
    );
  });
});
