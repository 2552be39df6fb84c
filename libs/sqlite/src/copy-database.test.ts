import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyDatabase } from './copy-database.js';
import { Database } from './database.js';

const PAGE_BYTES = 4096;
let folder: string;
let from: string;
let to: string;
let source: Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-copy-'));
  [from, to] = [join(folder, 'a.db'), join(folder, 'b.db')];
  source = Database.open({ file: from });
  source.exec('PRAGMA user_version = 7; CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT NOT NULL)');
});

afterEach(() => {
  source.close();
  rmSync(folder, { recursive: true });
});

const add = (count: number) => {
  for (let i = 0; i < count; i++) source.prepare('INSERT INTO t (body) VALUES (?)').run(['x'.repeat(3000)]);
};
const countOf = (database: Database) => database.prepare('SELECT count(*) AS n FROM t').get([])?.['n'];

describe('copyDatabase', () => {
  it('copies what is committed, also what is only in the log, while somebody writes', () => {
    add(20);
    source.exec('BEGIN IMMEDIATE');
    add(1);
    copyDatabase(from, to);
    source.exec('COMMIT');
    add(1);
    const copy = Database.open({ file: to });
    expect(countOf(copy)).toBe(20);
    expect(copy.prepare('PRAGMA user_version').get([])?.['user_version']).toBe(7);
    copy.close();
    expect(countOf(source)).toBe(22);
    expect(statSync(to).mode & 0o777).toBe(0o600);
  });

  it('does not write over a file', () => {
    writeFileSync(to, 'mine');
    expect(() => copyDatabase(from, to)).toThrow(/exists|not a database/);
    expect(readFileSync(to, 'utf8')).toBe('mine');
  });

  it('fails where the original is damaged', () => {
    add(20);
    source.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    source.close();
    const bytes = readFileSync(from);
    writeFileSync(from, bytes.fill(0xa5, 2 * PAGE_BYTES, 6 * PAGE_BYTES));
    expect(() => copyDatabase(from, to)).toThrow(/malformed|damaged/);
    source = Database.open({ file: join(folder, 'c.db') });
  });
});
