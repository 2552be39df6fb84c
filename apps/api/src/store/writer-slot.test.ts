import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Leases, openSqliteState, type State } from '@tidemark/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SLOTS, WriterSlot } from './writer-slot.js';

describe('WriterSlot', () => {
  let folder: string;
  let state: State;
  const slots: WriterSlot[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-slot-'));
    state = await openSqliteState(join(folder, 'state.db'));
  });
  afterEach(async () => {
    for (const slot of slots.splice(0)) slot.close();
    await state.close();
    await rm(folder, { recursive: true });
  });

  async function take(instance: string): Promise<number> {
    const unexpected = (error: unknown): never => {
      throw error;
    };
    const file = join(folder, `${instance}.json`);
    const on = { onLost: unexpected, onFault: unexpected, steadyMs: () => performance.now() };
    const slot = await WriterSlot.take({ leases: new Leases(state), file, ...on });
    slots.push(slot);
    return slot.number;
  }

  it('is the lowest free one, and stays with an instance over its restarts', async () => {
    expect([await take('a'), await take('b'), await take('c')]).toEqual([0, 1, 2]);
    expect(await take('b')).toBe(1);
    expect(await take('a')).toBe(0);
  });

  it('is another one where somebody else has what an instance remembers', async () => {
    expect(await take('a')).toBe(0);
    const [mine, theirs] = [join(folder, 'b.json'), join(folder, 'a.json')];
    const { slot } = JSON.parse(await readFile(theirs, 'utf8'));
    await writeFile(mine, JSON.stringify({ holder: 'somebody', slot }));
    expect(await take('b')).toBe(1);
    await writeFile(mine, 'no JSON');
    expect(await take('b')).toBe(2);
  });

  it('is refused where all are taken', async () => {
    for (let i = 0; i < SLOTS; i++) expect(await take(`i${i}`)).toBe(i);
    await expect(take('one too many')).rejects.toThrow('all 32 places');
  });

  it('is not taken under another name while the one it has cannot be read', async () => {
    await take('b');
    expect(await take('a')).toBe(1);
    const [file, away] = [join(folder, 'a.json'), join(folder, 'away.json')];
    const before = await readFile(file, 'utf8');
    await rename(file, away);
    await mkdir(file); // EISDIR, as a disk answers EIO
    await expect(take('a')).rejects.toThrow('cannot be read: EISDIR');
    await rmdir(file);
    await rename(away, file);
    expect(await take('a')).toBe(1);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('is remembered in a file that is replaced whole, for the eyes of this user alone', async () => {
    const file = join(folder, 'a.json');
    await writeFile(file, 'no JSON');
    await chmod(file, 0o644);
    const old = await stat(file);
    expect(await take('a')).toBe(0);
    const now = await stat(file);
    expect(now.ino).not.toBe(old.ino);
    expect(now.mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).filter((name) => name.startsWith('a.json'))).toEqual(['a.json']);
  });
});
