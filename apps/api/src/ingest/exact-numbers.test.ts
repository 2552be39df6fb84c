import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isExactInteger, quoteInexactIntegers } from './exact-numbers.js';

describe('quoteInexactIntegers', () => {
  it.each([
    ['a safe integer', '[9007199254740991]', '[9007199254740991]'],
    ['2^53, which is exact', '[9007199254740992]', '[9007199254740992]'],
    ['2^53 + 1, which is not', '[9007199254740993]', '["9007199254740993"]'],
    ['its negative', '{"a":-9007199254740993}', '{"a":"-9007199254740993"}'],
    ['a large power of two', '[1180591620717411303424]', '[1180591620717411303424]'],
    ['a power of ten that a double holds', '[10000000000000000000000]', '[10000000000000000000000]'],
    ['more digits than any double has', `[${'9'.repeat(400)}]`, `["${'9'.repeat(400)}"]`],
    ['several', '[9007199254740993, 1, 9007199254740995]', '["9007199254740993", 1, "9007199254740995"]'],
    ['digits within a string', '{"9007199254740993":"9007199254740993"}', '{"9007199254740993":"9007199254740993"}'],
    ['digits behind an escaped quote', '["\\"9007199254740993"]', '["\\"9007199254740993"]'],
    ['digits behind a string that ends in a backslash', '["\\\\",9007199254740993]', '["\\\\","9007199254740993"]'],
    ['a fraction', '[90071992547409931.5]', '[90071992547409931.5]'],
    ['an exponent', '[9007199254740993e2]', '[9007199254740993e2]'],
    ['the digits of an exponent', '[1e-9007199254740993]', '[1e-9007199254740993]'],
    ['an unfinished string', '["9007199254740993', '["9007199254740993'],
  ])('leaves or quotes %s', (_what, json, wanted) => {
    expect(quoteInexactIntegers(json)).toBe(wanted);
  });

  it('changes no number of a JSON text but those that lost digits', () => {
    const number = fc.oneof(
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const item = fc.record({ text: fc.string({ unit: 'binary' }), number });
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const json = `[${items.map(({ text, number }) => `${JSON.stringify(text)},${number}`).join(',')}]`;
        const wanted = items.flatMap(({ text, number }) => {
          const digits = String(number);
          const isLost = /^-?\d+$/.test(digits) && !namesOf(Number(digits)).includes(BigInt(digits));
          return [text, isLost ? digits : Number(number)];
        });
        expect(JSON.parse(quoteInexactIntegers(json))).toEqual(wanted.map((one) => (Object.is(one, -0) ? 0 : one)));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['escaped quotes without an end', `"${'\\"'.repeat(2_000_000)}9007199254740993`],
    ['digits before a dot', `[${'1'.repeat(2_000_000)}.5]`],
    ['one integer', `[${'1'.repeat(2_000_000)}]`],
    ['one string', `["${'1'.repeat(8_000_000)}"]`],
    ['signs', `[${'-'.repeat(1_000_000)}1111111111111111]`],
  ])('walks megabytes of %s once', (_what, json) => {
    expect(quoteInexactIntegers(json).length).toBeGreaterThanOrEqual(json.length); // quadratic, this would take hours
  });
});

describe('isExactInteger', () => {
  it.each([
    ['2^60', '1152921504606846976', true],
    ['2^60 as JavaScript writes it', '1152921504606847000', true],
    ['its neighbour', '1152921504606847001', false],
    ['2^70 in full digits, as some write it', '1180591620717411300000', true],
    ['2^53 + 1', '9007199254740993', false],
    ['the largest double', BigInt(Number.MAX_VALUE).toString(), true],
    ['a digit more than any double', `${'9'.repeat(309)}`, false],
  ])('judges %s', (_what, digits, wanted) => {
    expect(isExactInteger(digits)).toBe(wanted);
    expect(isExactInteger(`-${digits}`)).toBe(wanted);
  });

  it('agrees with arithmetic that has no limit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 1100n), max: 2n ** 1100n }), (integer) => {
        const number = Number(integer);
        expect(isExactInteger(String(integer))).toBe(Number.isFinite(number) && namesOf(number).includes(integer));
      }),
      { numRuns: 500 },
    );
  });

  it('takes both names of a double, and of the integers that would be read as this double no other', () => {
    const large = fc.double({ min: 2 ** 53, max: Number.MAX_VALUE, noNaN: true });
    fc.assert(
      fc.property(large, fc.double({ min: -0.5, max: 0.5, noNaN: true }), (number, share) => {
        const names = namesOf(number);
        for (const name of names) expect(isExactInteger(String(name))).toBe(true);
        const exact = BigInt(number);
        const gap = BigInt(number) - BigInt(before(number));
        const near = exact + (gap * BigInt(Math.round(share * 1e9))) / 1_000_000_000n;
        if (Number(near) === number) expect(isExactInteger(String(near))).toBe(names.includes(near));
      }),
      { numRuns: 2000 },
    );
  });
});

/** The integers that name a double: its value, and its shortest digits with zeros behind them. */
function namesOf(number: number): bigint[] {
  return [BigInt(number), BigInt(number.toLocaleString('en', { useGrouping: false }))];
}

/** The double before a positive one. */
function before(number: number): number {
  const bits = new BigUint64Array([0n]);
  const doubles = new Float64Array(bits.buffer);
  doubles[0] = number;
  bits[0] = (bits[0] ?? 0n) - 1n;
  return doubles[0];
}
