import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * makeFolder makes a folder and those above it, for this user alone, unless they are there. It throws the error of the
 * file system. Node's own recursive mkdir never returns where a file system answers ENOENT below a folder that exists,
 * as /proc does.
 */
export function makeFolder(path: string): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it in the meantime.
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
