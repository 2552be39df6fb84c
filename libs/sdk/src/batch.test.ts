import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch, seal } from './batch.js';
import type { Point } from './point.js';
import { ReadyPoint } from './point.js';
import { SendBuffer } from './send-buffer.js';

function filled(texts: readonly string[]): SendBuffer<Point> {
  const buffer = new SendBuffer<Point>(1_000, 1_000_000);
  for (const text of texts) buffer.push(new ReadyPoint(JSON.stringify(text)));
  return buffer;
}

function keys(): () => string {
  let next = 0;
  return () => `key-${String(next++)}`;
}

describe('seal', () => {
  it('takes the oldest points up to the number allowed', () => {
    const buffer = filled(['a', 'b', 'c']);
    const { batch } = seal('drift', buffer, { maxItems: 2, maxBytes: 1_000, hardMaxBytes: 1_000, newKey: keys() });
    expect(batch?.items).toEqual(['"a"', '"b"']);
    expect(batch?.kind).toBe('drift');
    expect(batch?.from).toBe(0);
    expect(buffer.size).toBe(1);
  });

  it('answers no batch where nothing waits', () => {
    const limits = { maxItems: 2, maxBytes: 1_000, hardMaxBytes: 1_000, newKey: keys() };
    expect(seal('drift', filled([]), limits)).toEqual({ batch: undefined, tooLarge: 0 });
  });

  it('counts the points that fit into no batch and goes on with the next', () => {
    const buffer = filled(['x'.repeat(200), 'a', 'y'.repeat(200)]);
    const sealed = seal('inference', buffer, { maxItems: 9, maxBytes: 100, hardMaxBytes: 100, newKey: keys() });
    expect(sealed.tooLarge).toBe(2);
    expect(sealed.batch?.items).toEqual(['"a"']);
    expect(sealed.batch?.from).toBe(1);
  });

  it('sends a point above the size aimed at alone', () => {
    const buffer = filled(['x'.repeat(200), 'a']);
    const sealed = seal('inference', buffer, { maxItems: 9, maxBytes: 100, hardMaxBytes: 1_000, newKey: keys() });
    expect(sealed.batch?.items).toHaveLength(1);
    expect(sealed.tooLarge).toBe(0);
  });

  it('loses nothing, keeps the order, and never passes its limits in bytes, for any text', () => {
    const texts = fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 40 });
    fc.assert(
      fc.property(
        texts,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 20, max: 300 }),
        (all, maxItems, maxBytes) => {
          const buffer = filled(all);
          const seen: string[] = [];
          let tooLarge = 0;
          while (buffer.size > 0) {
            const sealed = seal('inference', buffer, { maxItems, maxBytes, hardMaxBytes: maxBytes, newKey: keys() });
            tooLarge += sealed.tooLarge;
            if (sealed.batch === undefined) continue;
            expect(sealed.batch.items.length).toBeLessThanOrEqual(maxItems);
            expect(sealed.batch.body.byteLength).toBeLessThanOrEqual(maxBytes);
            const document: unknown = JSON.parse(new TextDecoder().decode(sealed.batch.body));
            expect(document).toEqual({ metrics: sealed.batch.items.map((item): unknown => JSON.parse(item)) });
            seen.push(...sealed.batch.items);
          }
          expect(seen.length + tooLarge).toBe(all.length);
          const wanted = all.map((text) => JSON.stringify(text));
          expect(seen).toEqual(wanted.filter((item) => seen.includes(item)));
        },
      ),
    );
  });
});

describe('Batch', () => {
  it('splits into halves with keys and positions of their own', () => {
    const [first, second] = new Batch('inference', 'old', ['1', '2', '3'], 10).halves(keys());
    expect([first.items, first.from, first.key]).toEqual([['1', '2'], 10, 'key-0']);
    expect([second.items, second.from, second.key]).toEqual([['3'], 12, 'key-1']);
  });
});
