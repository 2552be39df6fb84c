import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8Length } from './utf8-length.js';

it('utf8Length agrees with TextEncoder on any text, lone surrogates included', () => {
  const units = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd7ff, max: 0xe000 })));
  const text = units.map((codes) => String.fromCharCode(...codes));
  fc.assert(
    fc.property(text, (value) => {
      expect(utf8Length(value)).toBe(new TextEncoder().encode(value).byteLength);
    }),
    { numRuns: 2_000 },
  );
});
