import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileLock } from './file-lock.js';

const HOLDER = `
  import { FileLock } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
  const lock = FileLock.take(process.argv[1]);
  console.log(lock ? 'held' : 'refused');
  setInterval(() => lock, 1000);
`;

describe('FileLock', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-lock-'));
    file = join(folder, 'lock.db');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is held by one at a time, and can be taken again once it was released', () => {
    const first = FileLock.take(file);
    expect(first).not.toBeNull();
    expect(FileLock.take(file)).toBeNull();
    expect(FileLock.take(file)).toBeNull();
    first?.release();
    const second = FileLock.take(file);
    expect(second).not.toBeNull();
    second?.release();
  });

  it('throws what else is wrong', () => {
    expect(() => FileLock.take(join(folder, 'no', 'such', 'folder'))).toThrow();
  });

  it('keeps other processes out, and is free as soon as its holder was killed', async () => {
    const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await once(holder.stdout, 'data');
    expect(String(said).trim()).toBe('held');
    expect(FileLock.take(file)).toBeNull();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const lock = FileLock.take(file);
    expect(lock).not.toBeNull();
    lock?.release();
  });
});
