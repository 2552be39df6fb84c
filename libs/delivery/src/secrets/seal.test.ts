import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seal, unseal } from './seal.js';

const key = randomBytes(32);

describe('seal', () => {
  it('opens to the same text with the same key and context', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
        expect(unseal(seal(text, context, key, randomBytes), context, key)).toEqual({ ok: true, text });
      }),
    );
  });

  it('hides the text and never writes it the same way twice', () => {
    const [first, second] = [1, 2].map(() => seal('hunter2', 'chn_1', key, randomBytes));
    expect(first).toMatch(/^v1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/);
    expect(first).not.toBe(second);
    expect(first).not.toContain('hunter2');
  });

  it('does not open in another place or with another key', () => {
    const sealed = seal('hunter2', 'chn_1', key, randomBytes);
    expect(unseal(sealed, 'chn_2', key)).toMatchObject({ ok: false, code: 'wrong_key_or_context' });
    expect(unseal(sealed, 'chn_1', randomBytes(32))).toMatchObject({ ok: false, code: 'wrong_key_or_context' });
  });

  it('does not open when any one character was changed or the end cut off', () => {
    const sealed = seal('hunter2', 'c', key, randomBytes);
    // The last character may hold unused bits, so it is left out.
    for (let at = 0; at < sealed.length - 1; at += 1) {
      const other = sealed[at] === 'A' ? 'B' : 'A';
      expect(unseal(sealed.slice(0, at) + other + sealed.slice(at + 1), 'c', key).ok).toBe(false);
      expect(unseal(sealed.slice(0, at), 'c', key).ok).toBe(false);
    }
  });

  it.each(['', 'v1', 'v1..', 'v2.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA', 'plain text', 'v1.AAAAAAAAAAAAAAAA.A'])(
    'calls %j malformed',
    (text) => {
      expect(unseal(text, 'c', key)).toMatchObject({ ok: false, code: 'malformed' });
    },
  );

  it('throws for a key of the wrong length', () => {
    expect(() => seal('x', 'c', randomBytes(16), randomBytes)).toThrow(RangeError);
    expect(() => unseal('x', 'c', randomBytes(31))).toThrow(RangeError);
  });
});
