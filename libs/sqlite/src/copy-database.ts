import { chmodSync } from 'node:fs';
import { Database } from './database.js';

/**
 * copyDatabase writes what a file holds at one moment into a new file, compacted and synced, readable by its owner only;
 * others may go on writing to it meanwhile, also from other processes. It throws where `to` is there already, where there
 * is no room, and where the copy turns out damaged. The log of the file grows while it is read: it cannot be begun anew
 * before the copy is done.
 */
export function copyDatabase(from: string, to: string): void {
  const source = Database.open({ file: from, readonly: true });
  try {
    source.prepare('VACUUM INTO ?').run([to]);
  } finally {
    source.close();
  }
  chmodSync(to, 0o600);
  // A page that is damaged in the original is damaged in the copy: this is the moment to learn of it.
  const copy = Database.open({ file: to, readonly: true });
  try {
    const fault = copy.prepare('PRAGMA quick_check(1)').get([])?.['quick_check'];
    if (fault !== 'ok') throw new Error(`the copy of ${from} is damaged: ${JSON.stringify(fault)}`);
  } finally {
    copy.close();
  }
}
