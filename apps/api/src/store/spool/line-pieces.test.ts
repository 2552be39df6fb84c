import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countLines, halve } from './line-pieces.js';

const lengths = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 50 });

it('halve cuts any lines between two of them until each is alone', () => {
  fc.assert(
    fc.property(lengths, (given) => {
      const lines = given.map((length, index) => `${'x'.repeat(length)}${index}\n`);
      const found: string[] = [];
      const pieces: Uint8Array[] = [Buffer.from(lines.join(''))];
      let cuts = 0;
      for (let piece = pieces.pop(); piece; piece = pieces.pop()) {
        const halves = halve(piece);
        expect(halves === null).toBe(countLines(piece) === 1);
        if (halves) {
          cuts++;
          pieces.push(halves[1], halves[0]);
        } else found.push(Buffer.from(piece).toString());
      }
      expect(found).toEqual(lines);
      expect(cuts).toBe(lines.length - 1);
    }),
  );
});

it('halve cuts near the middle, so that a large batch needs few steps', () => {
  const lines = Buffer.from('abcdefg\n'.repeat(1000));
  expect(halve(lines)?.map((half) => half.length)).toEqual([4000, 4000]);
  expect(halve(Buffer.from(`a\n${'b'.repeat(100)}\n`))?.map((half) => half.length)).toEqual([2, 101]);
  expect(halve(Buffer.from(`${'b'.repeat(100)}\na\n`))?.map((half) => half.length)).toEqual([101, 2]);
});
