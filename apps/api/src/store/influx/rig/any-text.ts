import fc from 'fast-check';

const NASTY = [
  '\\',
  ',',
  '=',
  ' ',
  '"',
  "'",
  '\n',
  '\r',
  '\0',
  '%',
  '%0A',
  '%u',
  '\t',
  '\ud800',
  '\udc00',
  '👩‍🚀',
  'ü',
  '$',
  '/',
  '#',
];

/** anyText is any string of UTF-16 units: plain, of what line protocol and queries give a meaning, and anything at all. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.array(fc.constantFrom(...NASTY), { maxLength: 8 }).map((parts) => parts.join('')),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
);
