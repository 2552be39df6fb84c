import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
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

function open(maxBytes = 100_000): Promise<DeadLetters> {
  return DeadLetters.open({ folder, maxBytes, wallMs: () => NOW });
}

function kept(name = 'dead-letter.ndjson'): unknown[] {
  const text = readFileSync(join(folder, name), 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
}

describe('dead letters', () => {
  it('are kept with their time, the reason and what the server said, over restarts', async () => {
    await (await open()).add(Buffer.from('a x="ü" 1\nb x=2 2\n'), 'beside_bad_points', 'field type conflict');
    const letters = await open();
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
    const letters = await open(2000);
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
    await (await open()).add(Buffer.from('a x=1 1\n'), 'bad_points', 'no');
    appendFileSync(join(folder, 'dead-letter.ndjson'), '{"at":"2026');
    await (await open()).add(Buffer.from('b x=2 2\n'), 'bad_points', 'no');
    const lines = readFileSync(join(folder, 'dead-letter.ndjson'), 'utf8').split('\n');
    expect(lines).toHaveLength(4);
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ line: 'b x=2 2' });
  });

  it('are counted where the disk does not take them, and nobody waits for it', async () => {
    const letters = await open();
    const file = join(folder, 'dead-letter.ndjson');
    mkdirSync(file);
    await letters.add(Buffer.from('a x=1 1\n'), 'bad_points', 'no');
    expect(letters.stats()).toMatchObject({ lines: { bad_points: 1 }, forgottenLines: 1 });
    rmSync(file, { recursive: true });
    await letters.add(Buffer.from('b x=2 2\n'), 'bad_points', 'no');
    expect(kept()).toMatchObject([{ line: 'b x=2 2' }]);
  });
});
