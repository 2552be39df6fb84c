import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from './database.js';

const [NORMAL, FULL] = [1, 2];
let folder: string;
let database: Database;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-database-'));
  database = Database.open({ file: join(folder, 'a.db') });
});

afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

const synchronous = () => database.prepare('PRAGMA synchronous').get([])?.['synchronous'];

describe('transaction', () => {
  it('waits for the disk unless told not to, whatever came before', () => {
    const fail = () => {
      throw new Error('no');
    };
    expect(database.transaction(synchronous)).toBe(FULL);
    expect(database.transaction(synchronous, { waits: false })).toBe(NORMAL);
    expect(database.transaction(synchronous)).toBe(FULL);
    expect(() => database.transaction(fail, { waits: false })).toThrow('no');
    expect(database.transaction(synchronous, {})).toBe(FULL);
  });
});
