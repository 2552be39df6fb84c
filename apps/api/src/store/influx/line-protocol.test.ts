import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldKey, floatField, nanoseconds, stringField, tagText } from './line-protocol.js';
import { anyText } from './rig/any-text.js';
import { parseLine } from './rig/parse-line.js';
import { unescapeTagValue, unescapeText } from './text-escape.js';

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f]/;
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('line protocol', () => {
  it('gives back any tag, name and string from exactly one line', () => {
    const property = fc.property(anyText, anyText, anyText, anyText, finite, (tag, value, name, text, number) => {
      const fields = `${fieldKey(`v.${name}`)}=${floatField(number)},s=${stringField(text)}`;
      const line = `m${tagText(`t.${tag}`, value)} ${fields} ${nanoseconds(1, 2)}`;
      const parsed = parseLine(line);
      const [[tagKey, tagValue]] = Object.entries(parsed.tags);
      const [[key, found]] = Object.entries(parsed.fields);
      return (
        !CONTROL.test(line) &&
        line.isWellFormed() &&
        unescapeText(tagKey) === `t.${tag}` &&
        unescapeTagValue(tagValue) === value &&
        unescapeText(key) === `v.${name}` &&
        Object.is(found, number) &&
        unescapeText(String(parsed.fields.s)) === text &&
        parsed.time === '1000002'
      );
    });
    fc.assert(property, { numRuns: 100_000 });
  }, 120_000);

  it.each([
    ['', '%'],
    ['a\\', 'a%5C'],
    ['a,b=c d', 'a\\,b\\=c\\ d'],
    ['50%', '50%25'],
    ['a\nb\0', 'a%0Ab%00'],
    ['\ud800', '%ud800'],
    ['👩‍🚀 größe', '👩‍🚀\\ größe'],
  ])('writes the tag %j as %j', (value, written) => {
    expect(tagText('k', value)).toBe(`,k=${written}`);
  });

  it.each([0, -0, 1, -1e-300, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53, 0.1 + 0.2, 1e21])(
    'writes %d exactly',
    (n) => {
      expect(Object.is(Number(floatField(n)), n)).toBe(true);
    },
  );
});
