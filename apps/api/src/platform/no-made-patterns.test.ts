import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SOURCES = fileURLToPath(new URL('..', import.meta.url));
const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !/\.(test|contract)\.ts$|(^|\/)rig\//.test(file),
);

describe('the sources', () => {
  it('make no pattern of a text, so that nothing a user sends becomes one', () => {
    expect(files.length).toBeGreaterThan(80);
    const makers = files.filter((file) => /\bRegExp\s*\(/.test(readFileSync(join(SOURCES, file), 'utf8')));
    expect(makers).toEqual([]);
  });

  it('search no text by a text that could be taken for a pattern', () => {
    // match, matchAll and search turn a text into a pattern; replaceAll and split do not.
    const makers = files.filter((file) =>
      /\.(match|matchAll|search)\((?!\/)/.test(readFileSync(join(SOURCES, file), 'utf8')),
    );
    expect(makers).toEqual([]);
  });
});
