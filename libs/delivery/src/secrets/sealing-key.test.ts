import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadOrCreateKey } from './sealing-key.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealing-key-'));
  file = join(folder, 'new', 'key');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('loadOrCreateKey', () => {
  it('makes a key that only its owner can read, and finds it again', async () => {
    const created = await loadOrCreateKey({ file });
    expect(created).toMatchObject({ ok: true, origin: 'created' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await loadOrCreateKey({ file })).toEqual({ ...created, origin: 'file' });
    expect(await readdir(join(folder, 'new'))).toEqual(['key']);
  });

  it('gives all of those that start at once the same key', async () => {
    const results = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey({ file })));
    const keys = results.map((result) => (result.ok ? result.key.toString('hex') : result.reason));
    expect(new Set(keys).size).toBe(1);
    expect(results.filter((result) => result.ok && result.origin === 'created')).toHaveLength(1);
  });

  it.each([0o644, 0o640, 0o620, 0o604, 0o666])('refuses a file of mode %o and says what to do', async (mode) => {
    await loadOrCreateKey({ file });
    await chmod(file, mode);
    const result = await loadOrCreateKey({ file });
    expect(result).toMatchObject({ ok: false, code: 'key_file_open_to_others' });
    expect(!result.ok && result.reason).toContain('chmod 600');
  });

  it('refuses a file that holds no key and leaves it as it is', async () => {
    await loadOrCreateKey({ file });
    await writeFile(file, 'not a key');
    expect(await loadOrCreateKey({ file })).toMatchObject({ ok: false, code: 'bad_key_file' });
    expect(await readFile(file, 'utf8')).toBe('not a key');
  });

  it('derives the key from a secret without touching the file', async () => {
    const first = await loadOrCreateKey({ secret: 'correct horse battery', file });
    const second = await loadOrCreateKey({ secret: 'correct horse battery', file });
    const other = await loadOrCreateKey({ secret: 'correct horse batterz', file });
    expect(first).toMatchObject({ ok: true, origin: 'secret' });
    expect(second).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first.ok && first.key).toHaveLength(32);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a short secret', async () => {
    expect(await loadOrCreateKey({ secret: 'short', file })).toMatchObject({ ok: false, code: 'short_secret' });
  });
});
