import { randomBytes } from 'node:crypto';
import { chmod, copyFile, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { copyDatabase } from '@tidemark/sqlite';
import { makeFolder } from '../platform/make-folder.js';
import { isMissing } from '../platform/is-missing.js';
import { syncPath } from '../platform/sync-path.js';

/** BackedUp is a part of a data folder that was copied. */
export interface BackedUp {
  readonly name: string;
  readonly bytes: number;
}

/** BackupOutcome lists what was copied, or says why nothing was. */
export type BackupOutcome =
  | { readonly ok: true; readonly parts: readonly BackedUp[] }
  | { readonly ok: false; readonly code: 'there_already' | 'inside' | 'nothing'; readonly reason: string };

/**
 * PARTS in their order. The state comes before the points, so that an alert in the copy has its points there. Where there
 * is a spool, the points are in InfluxDB, which is to be backed up after it: what is drained in between is then there.
 */
const PARTS: readonly (readonly [name: string, copy: (from: string, to: string) => Promise<void>])[] = [
  ['state.db', async (from, to) => copyDatabase(from, to)],
  ['secret.key', copyPrivate],
  ['writer.json', copyPrivate],
  ['spool', copySpool],
  ['metrics.db', async (from, to) => copyDatabase(from, to)],
];

/**
 * backUp copies a data folder into a new folder, which can be used as a data folder itself, while a server runs on it.
 * Everything acknowledged before it began is in the copy. The new folder is there when all of it is on the disk, or not
 * at all. Rejects where something cannot be read or written.
 */
export async function backUp(dataDir: string, target: string): Promise<BackupOutcome> {
  const to = resolve(target);
  if (`${to}${sep}`.startsWith(`${resolve(dataDir)}${sep}`))
    return { ok: false, code: 'inside', reason: `${to} lies in the data folder itself` };
  if (await isThere(to)) return { ok: false, code: 'there_already', reason: `${to} is there already` };
  makeFolder(dirname(to));
  const aside = join(dirname(to), `.${basename(to)}.${randomBytes(6).toString('hex')}`);
  await mkdir(aside, { mode: 0o700 });
  try {
    const parts = await copyParts(dataDir, aside);
    if (parts.length === 0) return { ok: false, code: 'nothing', reason: `there is nothing of Tidemark in ${dataDir}` };
    await syncPath(aside);
    await rename(aside, to);
    await syncPath(dirname(to));
    return { ok: true, parts };
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function copyParts(dataDir: string, aside: string): Promise<BackedUp[]> {
  const parts: BackedUp[] = [];
  for (const [name, copy] of PARTS) {
    const from = join(dataDir, name);
    if (!(await isThere(from))) continue;
    await copy(from, join(aside, name));
    parts.push({ name, bytes: await sizeOf(join(aside, name)) });
  }
  return parts;
}

async function copyPrivate(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await chmod(to, 0o600);
  await syncPath(to);
}

/** A segment that goes while it is copied was drained: its points are in InfluxDB. One that grows ends in a frame that is cut. */
async function copySpool(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    try {
      await copyPrivate(join(from, entry.name), join(to, entry.name));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  await syncPath(to);
}

async function sizeOf(path: string): Promise<number> {
  const stat = await lstat(path);
  if (!stat.isDirectory()) return stat.size;
  const sizes = await Promise.all((await readdir(path)).map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
