import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { FileLock } from '@tidemark/sqlite';
import { makeFolder } from './make-folder.js';

/**
 * ownFolder makes the data folder, closes it to everybody else on the machine (it holds keys and metrics), and holds it
 * for this process alone until the answered lock is released: a second process would send again what the first is
 * sending, before it found the port in use. It throws where another one holds it.
 */
export function ownFolder(dataDir: string): FileLock {
  makeFolder(dataDir);
  chmodSync(dataDir, 0o700);
  const lock = FileLock.take(join(dataDir, 'lock.db'));
  if (lock) return lock;
  throw new Error(
    `TIDEMARK_DATA_DIR: another Tidemark runs on ${dataDir}; stop it, or set TIDEMARK_DATA_DIR to another folder`,
  );
}
