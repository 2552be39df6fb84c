import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeadLetters } from './dead-letters.js';

const NOW = Date.UTC(2026, 2, 1, 12);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-dead-letters-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(maxBytes = 100_000): DeadLetters {
  return DeadLetters.open({ folder, maxBytes, wallMs: () => NOW });
}

function kept(name = 'dead-letter.ndjson'): unknown[] {
  const text = readFileSync(join(folder, name), 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
}

describe('dead letters', () => {
  it('are kept with their time, the reason and what the server said, over restarts', async () => {
    await open().add(Buffer.from('a x="ü" 1\nb x=2 2\n'), 'beside_bad_points', 'field type conflict');
    const letters = open();
    await letters.add(Buffer.from('c x=3 3\n'), 'too_large', 'too large');
    const at = '2026-03-01T12:00:00.000Z';
    expect(kept()).toEqual([
      { at, reason: 'beside_bad_points', message: 'field type conflict', line: 'a x="ü" 1' },
      { at, reason: 'beside_bad_points', message: 'field type conflict', line: 'b x=2 2' },
      { at, reason: 'too_large', message: 'too large', line: 'c x=3 3' },
    ]);
    expect(letters.stats()).toEqual({
      lines: { bad_points: 0, beside_bad_points: 0, too_large: 1 },
      forgottenLines: 0,
    });
  });

  it('stay within their bound: the oldest go, and are counted', async () => {
    const letters = open(2000);
    for (let i = 0; i < 100; i++) await letters.add(Buffer.from(`a x=${i} ${i}\n`), 'bad_points', 'no');
    const bytes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    expect(bytes.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(2000);
    const there = [...kept('dead-letter.1.ndjson'), ...kept()];
    expect(there.at(-1)).toMatchObject({ line: 'a x=99 99' });
    expect(letters.stats().forgottenLines).toBe(100 - there.length);
    await letters.add(Buffer.from(`${'x'.repeat(2000)}\n`), 'too_large', 'no');
    expect(letters.stats()).toMatchObject({ lines: { too_large: 1 }, forgottenLines: 101 - there.length });
  });

  it('begin a new line behind one that a crash cut off', async () => {
    await open().add(Buffer.from('a x=1 1\n'), 'bad_points', 'no');
    appendFileSync(join(folder, 'dead-letter.ndjson'), '{"at":"2026');
    await open().add(Buffer.from('b x=2 2\n'), 'bad_points', 'no');
    const lines = readFileSync(join(folder, 'dead-letter.ndjson'), 'utf8').split('\n');
    expect(lines).toHaveLength(4);
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ line: 'b x=2 2' });
  });

  it('are counted where the disk does not take them, and nobody waits for it', async () => {
    const letters = open();
    const file = join(folder, 'dead-letter.ndjson');
    mkdirSync(file);
    const fate = await letters.add(Buffer.from('a x=1 1\n'), 'bad_points', 'no');
    expect(fate).toMatchObject({ outcome: 'forgotten', error: { code: 'EISDIR' } });
    expect(letters.stats()).toMatchObject({ lines: { bad_points: 1 }, forgottenLines: 1 });
    rmSync(file, { recursive: true });
    expect(await letters.add(Buffer.from('b x=2 2\n'), 'bad_points', 'no')).toEqual({ outcome: 'kept' });
    expect(kept()).toMatchObject([{ line: 'b x=2 2' }]);
  });

  it.each(['move', 'delete', 'cut'] as const)(
    'are kept on, within their bound, after somebody came to %s their file',
    async (deed) => {
      const letters = open(2000);
      const file = join(folder, 'dead-letter.ndjson');
      const add = (i: number) => letters.add(Buffer.from(`a x=${i} ${i}\n`), 'bad_points', 'no');
      for (let i = 0; i < 11; i++) expect(await add(i)).toEqual({ outcome: 'kept' }); // one more would not fit
      if (deed === 'move') renameSync(file, join(folder, 'looked-at.ndjson'));
      if (deed === 'delete') rmSync(file);
      if (deed === 'cut') truncateSync(file, 30);
      for (let i = 11; i < 18; i++) expect(await add(i)).toEqual({ outcome: 'kept' });
      const text = readFileSync(join(folder, 'dead-letter.ndjson'), 'utf8');
      expect(text).toMatch(/"line":"a x=17 17"}\n$/);
      const names = ['dead-letter.ndjson', 'dead-letter.1.ndjson'].filter((name) => readdirSync(folder).includes(name));
      for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(1000);
      // What somebody took is not forgotten.
      expect(letters.stats().forgottenLines).toBe(0);
    },
  );

  it('do not take a file of an earlier life that cannot be read for an empty one', async () => {
    const file = join(folder, 'dead-letter.1.ndjson');
    const old = open(2000);
    for (let i = 0; i < 8; i++) await old.add(Buffer.from(`a x=${i} ${i}\n`), 'bad_points', 'no');
    symlinkSync(file, file); // ELOOP, as a disk answers EIO
    const letters = open(2000);
    const fates = [];
    for (let i = 8; i < 18; i++) fates.push(await letters.add(Buffer.from(`a x=${i} ${i}\n`), 'bad_points', 'no'));
    expect(fates.at(-1)).toMatchObject({ outcome: 'forgotten', error: { code: 'ELOOP' } });
    const held = kept();
    expect(letters.stats().forgottenLines).toBe(18 - held.length);
    unlinkSync(file);
    expect(await letters.add(Buffer.from('b x=2 2\n'), 'bad_points', 'no')).toEqual({ outcome: 'kept' });
    expect(kept('dead-letter.1.ndjson')).toEqual(held);
  });
});
