import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '@tidemark/sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backUp } from './back-up.js';

let folder: string;
let data: string;
let to: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-backup-'));
  [data, to] = [join(folder, 'data'), join(folder, 'deep/copy')];
  mkdirSync(data);
});

afterEach(() => rmSync(folder, { recursive: true }));

function database(name: string): void {
  const made = Database.open({ file: join(data, name) });
  made.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)');
  made.close();
}

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('backUp', () => {
  it('copies databases, key, slot and spool, for the owner alone, and nothing else', async () => {
    for (const name of ['state.db', 'metrics.db', 'lock.db']) database(name);
    writeFileSync(join(data, 'secret.key'), 'key');
    writeFileSync(join(data, 'writer.json'), '{}');
    mkdirSync(join(data, 'spool'));
    writeFileSync(join(data, 'spool/000000000001.segment'), 'frames');
    const outcome = await backUp(data, to);
    const names = ['state.db', 'secret.key', 'writer.json', 'spool', 'metrics.db'];
    expect(outcome).toMatchObject({ ok: true, parts: names.map((name) => ({ name })) });
    expect(readdirSync(to).toSorted()).toEqual(names.toSorted());
    expect(readFileSync(join(to, 'spool/000000000001.segment'), 'utf8')).toBe('frames');
    expect(modeOf(to)).toBe(0o700);
    for (const name of ['state.db', 'secret.key', 'writer.json', 'metrics.db'])
      expect(modeOf(join(to, name))).toBe(0o600);
    expect(readdirSync(join(folder, 'deep'))).toEqual(['copy']);
  });

  it('refuses a folder that is there, one inside of the data, and data that are none', async () => {
    expect(await backUp(data, to)).toMatchObject({ ok: false, code: 'nothing' });
    database('state.db');
    expect(await backUp(data, join(data, 'copy'))).toMatchObject({ ok: false, code: 'inside' });
    mkdirSync(to);
    expect(await backUp(data, to)).toMatchObject({ ok: false, code: 'there_already' });
    expect(readdirSync(join(folder, 'deep'))).toEqual(['copy']);
  });

  it('leaves nothing behind when a part cannot be copied', async () => {
    database('state.db');
    writeFileSync(join(data, 'metrics.db'), 'not a database at all '.repeat(100));
    await expect(backUp(data, to)).rejects.toThrow(/not a database/);
    expect(readdirSync(join(folder, 'deep'))).toEqual([]);
  });
});
