import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCursor, writeCursor } from './cursor.js';

describe('a cursor', () => {
  it('names the position it was made of, in a text that a URL can hold', () => {
    const position = fc.record({ timestampMs: fc.nat({ max: 8.64e15 }), seq: fc.maxSafeNat() });
    fc.assert(
      fc.property(position, (given) => {
        const text = writeCursor(given);
        expect(readCursor(text)).toEqual(given);
        expect(text).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    '',
    'x',
    'MQ',
    '....',
    '💥',
    'a'.repeat(100_000),
    ...['1', '1.', '.1', '-1.1', '1.-1', '1.1.1', '1e3.1', ' 1.1', '1.1\n', `${'1'.repeat(17)}.1`].map((text) =>
      Buffer.from(text).toString('base64url'),
    ),
  ])('is none when it reads %j', (text) => expect(readCursor(text)).toBeNull());

  it('is read of any text without a crash', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => void readCursor(text)),
      { numRuns: 5000 },
    );
  });
});
