import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStatementsThread } from './rig/statements.js';
import { SqliteError, type SqliteThread } from './sqlite-thread.js';
import type { StatementResult } from './statement-call.js';

let folder: string;
let thread: SqliteThread;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-sqlite-'));
  thread = await openStatementsThread(join(folder, 'a.db'));
  await execute('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, body BLOB)');
});

afterEach(async () => {
  await thread.close();
  rmSync(folder, { recursive: true, force: true });
});

function execute(sql: string, params: unknown[] = []): Promise<StatementResult> {
  return thread.call('execute', { sql, params });
}

describe('SqliteThread', () => {
  it('answers calls in the order they were made', async () => {
    const calls = Array.from({ length: 50 }, (_, i) => execute('INSERT INTO t (name) VALUES (?)', [`n${i}`]));
    const ids = (await Promise.all(calls)).map((result) => result.lastInsertRowid);
    expect(ids).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it('gives a constraint error back with its SQLite code and stays usable', async () => {
    await execute('INSERT INTO t (id) VALUES (7)');
    await expect(execute('INSERT INTO t (id) VALUES (7)')).rejects.toMatchObject({
      code: 'SQLITE_CONSTRAINT_PRIMARYKEY',
    });
    expect((await execute('SELECT count(*) AS n FROM t')).rows).toMatchObject([{ n: 1 }]);
  });

  it('refuses a lone surrogate instead of letting the driver abort the process', async () => {
    await expect(execute('INSERT INTO t (name) VALUES (?)', ['a\ud800'])).rejects.toThrow('lone surrogate');
  });

  it('keeps what was committed when it is opened again', async () => {
    await execute('INSERT INTO t (name) VALUES (?)', ['kept']);
    await thread.close();
    thread = await openStatementsThread(join(folder, 'a.db'));
    expect((await execute('SELECT name FROM t')).rows).toMatchObject([{ name: 'kept' }]);
  });

  it('rejects calls made after it was closed', async () => {
    await thread.close();
    await expect(execute('SELECT 1')).rejects.toBeInstanceOf(SqliteError);
  });

  it('rejects at open with a reason when the file cannot be made', async () => {
    await expect(openStatementsThread(join(folder, 'missing', 'a.db'))).rejects.toThrow(/open|directory/i);
  });
});
