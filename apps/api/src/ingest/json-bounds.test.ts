import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findBoundsFault, MAX_DEPTH, MAX_MEMBERS } from './json-bounds.js';

const check = (text: string) => findBoundsFault(Buffer.from(text));
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const members = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${i}":${i}`).join(',')}}`;

/** The depth and the widest object of a value, found the simple way. */
function measure(value: unknown, depth = 0): { depth: number; width: number } {
  if (typeof value !== 'object' || value === null) return { depth, width: 0 };
  const inner = Object.values(value).map((one) => measure(one, depth + 1));
  return {
    depth: Math.max(depth + 1, ...inner.map((one) => one.depth)),
    width: Math.max(Array.isArray(value) ? 0 : Object.keys(value).length, ...inner.map((one) => one.width)),
  };
}

describe('findBoundsFault', () => {
  it.each([
    ['nothing', '', null],
    ['a plain object', '{"a":[1,{"b":null}]}', null],
    ['the deepest text allowed', nested(MAX_DEPTH), null],
    ['one level more', nested(MAX_DEPTH + 1), { code: 'too_deep', offset: MAX_DEPTH }],
    ['objects and arrays by turns', '{"a":['.repeat(17), { code: 'too_deep', offset: 6 * 16 }],
    ['the widest object allowed', members(MAX_MEMBERS), null],
    ['a list of any length', `[${'{"a":1},'.repeat(5000)}{"a":1}]`, null],
    ['a wide object that ended before another begins', `[${members(200)},${members(200)}]`, null],
    ['brackets and colons within strings', `{"a":"${'[{:'.repeat(1000)}"}`, null],
    ['a quote behind a backslash', `{"a":"\\"${'['.repeat(100)}"}`, null],
    [
      'a backslash behind a backslash, which ends the string',
      `{"a":"\\\\","b":${nested(40)}}`,
      { code: 'too_deep', offset: 45 },
    ],
    ['an escape as the last byte', '"\\', null],
    ['closing more than was opened', `${']'.repeat(100)}[1]`, null],
  ])('judges %s', (_what, text, wanted) => {
    expect(check(text)).toEqual(wanted);
  });

  it('points at the member that is one too many', () => {
    const text = members(MAX_MEMBERS + 1);
    expect(check(text)).toEqual({ code: 'too_many_keys', offset: text.lastIndexOf(':') });
  });

  it('goes on counting the outer object after an inner one', () => {
    const inner = `{"in":${members(10)},`;
    expect(check(`${inner}${members(250).slice(1)}`)).toBeNull();
    expect(check(`${inner}${members(256).slice(1)}`)).toMatchObject({ code: 'too_many_keys' });
  });

  it('stops at the bound of a text nested 500,000 deep and of one with a million members', () => {
    expect(check('['.repeat(500_000))).toEqual({ code: 'too_deep', offset: MAX_DEPTH });
    expect(check('{"a":'.repeat(500_000))).toEqual({ code: 'too_deep', offset: 5 * MAX_DEPTH });
    const wide = members(1_000_000);
    expect(check(wide)).toMatchObject({ code: 'too_many_keys' });
    expect(check(wide)?.offset).toBeLessThan(4000);
  });

  it('agrees with the parsed value on any JSON', () => {
    const leaf = fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' });
    // Wrapped by hand, because arbitraries that nest this deep grow without bound.
    const wrapped = fc
      .tuple(leaf, fc.array(fc.constantFrom('list', 'object', 'wide'), { maxLength: 40 }))
      .map(([inner, wraps]) =>
        wraps.reduce<unknown>((value, wrap, i) => {
          if (wrap === 'list') return [value];
          if (wrap === 'object' || i !== 3) return { '"{': value };
          return {
            ...Object.fromEntries(Array.from({ length: 255 }, (_, n) => [`k${n}`, n])),
            inner: value,
            ...(i % 2 ? {} : { more: 1 }),
          };
        }, inner),
      );
    fc.assert(
      fc.property(wrapped, (json) => {
        const { depth, width } = measure(json);
        expect(check(JSON.stringify(json)) === null).toBe(depth <= MAX_DEPTH && width <= MAX_MEMBERS);
      }),
      { numRuns: 400 },
    );
  });

  it('throws on no bytes at all', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .array(fc.constantFrom(0x22, 0x5c, 0x7b, 0x5b, 0x7d, 0x5d, 0x3a, 0x2c, 0xff), { maxLength: 300 })
        .map((bytes) => Uint8Array.from(bytes)),
    );
    fc.assert(
      fc.property(hostile, (bytes) => {
        const fault = findBoundsFault(bytes);
        if (fault) expect(fault.offset).toBeLessThan(bytes.length);
      }),
      { numRuns: 10_000 },
    );
  });
});
