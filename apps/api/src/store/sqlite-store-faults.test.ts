import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '@tidemark/sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aBatch, aDay, aPoint, aSeries, NOW } from './point-samples.contract.js';
import type { WriteBatch } from './point-store.js';
import { SqliteStore } from './sqlite-store.js';

const DAY = 24 * 3600_000;

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-faults-'));
  file = join(folder, 'metrics.db');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(at = file): Promise<SqliteStore> {
  const retention = { rawMs: 7 * DAY, minuteMs: 30 * DAY, hourMs: 400 * DAY };
  return SqliteStore.open({ file: at, retention, clock: () => NOW });
}

describe('opening a store', () => {
  it('refuses a file of a newer version and says which', async () => {
    await (await open()).close();
    const database = Database.open({ file });
    database.exec('PRAGMA user_version = 99');
    database.close();
    await expect(open()).rejects.toThrow(new RegExp(`${file}.*version 99.*newer`));
  });

  it('refuses the file of another program', async () => {
    const database = Database.open({ file });
    database.exec('CREATE TABLE recipes (name TEXT)');
    database.close();
    await expect(open()).rejects.toThrow(/metrics\.db is an SQLite file of another program/);
  });

  it.each([
    ['that is not SQLite', Buffer.alloc(9000, 'not a database. ')],
    [
      'whose first page is noise behind the right magic',
      Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(5000, 0xa5)]),
    ],
  ])('refuses a file %s and names it', async (_what, content) => {
    writeFileSync(file, content);
    await expect(open()).rejects.toThrow(/metrics\.db is damaged or not an SQLite file/);
  });

  it('fails with a reason where no file can be made', async () => {
    await expect(open(join(folder, 'missing', 'metrics.db'))).rejects.toThrow(/open|directory/i);
  });
});

describe('a store on a full disk', () => {
  it('rejects writes with a code, keeps what it promised, and heals by itself when there is room again', async (context) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'pipe' });
    } catch (error) {
      context.skip(`no tmpfs of 4 MB can be mounted here: ${String(error)}`);
    }
    try {
      const ballast = join(folder, 'ballast');
      writeFileSync(ballast, Buffer.alloc(1_500_000));
      const store = await open();
      try {
        const promised = await writeUntilRefused(store);
        await expect(store.ping()).rejects.toMatchObject({ code: 'SQLITE_FULL' });
        expect(await countStored(store)).toBe(promised);
        rmSync(ballast);
        await store.write(batchFrom(promised + 1));
        await store.ping();
        expect(await countStored(store)).toBe(promised + 100);
      } finally {
        await store.close();
      }
      const again = await open();
      expect(await countStored(again)).toBe(again.lastSeq);
      await again.close();
    } finally {
      execFileSync('umount', ['-l', folder]);
    }
  });
});

function batchFrom(first: number): WriteBatch {
  const points = Array.from({ length: 100 }, (_, i) => {
    const seq = first + i;
    return aPoint(aSeries(), seq, NOW - 1_000_000 + seq, { requestId: `${seq}`.padStart(200, 'x'), throughput: seq });
  });
  return aBatch(points);
}

async function writeUntilRefused(store: SqliteStore): Promise<number> {
  for (let promised = 0; promised < 100_000; promised += 100) {
    try {
      await store.write(batchFrom(promised + 1));
    } catch (error) {
      expect(error).toMatchObject({ code: 'SQLITE_FULL' });
      return promised;
    }
  }
  throw new Error('a disk of 4 MB took 100,000 points');
}

async function countStored(store: SqliteStore): Promise<number> {
  const { items } = await store.recent(aDay(), 10_000);
  const { totalRequests } = await store.summary(aDay());
  expect(totalRequests).toBe(items.length);
  return items.length;
}
