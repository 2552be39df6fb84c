import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineBuffer } from './line-buffer.js';
import { floatField, nanoseconds, stringField } from './line-protocol.js';
import { anyText } from './rig/any-text.js';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const places = fc.tuple(fc.maxSafeNat(), fc.integer({ min: 0, max: 9 })).map(([digits, count]) => digits / 10 ** count);

function written(write: (out: LineBuffer) => void): string {
  // Little room, so that it grows in the middle of things.
  const out = new LineBuffer(1);
  out.text('a');
  write(out);
  out.text('z');
  return out.take().toString('utf8').slice(1, -1);
}

describe('LineBuffer', () => {
  it('writes any number as floatField does', () => {
    fc.assert(
      fc.property(fc.oneof(finite, places, fc.integer()), (value) => {
        expect(written((out) => out.float(value))).toBe(floatField(value));
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([0, -0, 1e-6, 1e-7, 0.000_001_5, 1.5, 10, 999_999_999.999_999, 1e9, 123_456_789.123_456_7, 0.1 + 0.2, -0.5])(
    'writes %d as floatField does',
    (value) => {
      expect(written((out) => out.float(value))).toBe(floatField(value));
    },
  );

  it('writes whole numbers and times', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.nat(999_999), (value, low) => {
        expect(written((out) => out.integer(value))).toBe(String(value));
        expect(written((out) => out.time(value, low))).toBe(nanoseconds(value, low));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([0, 9, 10, 999_999_999, 1e9, 1_000_000_001, Number.MAX_SAFE_INTEGER])(
    'writes the whole number %d',
    (value) => {
      expect(written((out) => out.integer(value))).toBe(String(value));
    },
  );

  it('quotes any text as stringField does', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.uuid()), (text) => {
        expect(written((out) => out.quoted(text))).toBe(stringField(text));
      }),
      { numRuns: 5000 },
    );
    expect(written((out) => out.quoted('x'.repeat(1000)))).toBe(`"${'x'.repeat(1000)}"`);
  });

  it('joins bytes of any length', () => {
    for (const length of [0, 1, 40, 41, 5000]) {
      const bytes = Buffer.alloc(length, 'b');
      expect(written((out) => out.raw(bytes))).toBe('b'.repeat(length));
    }
  });
});
