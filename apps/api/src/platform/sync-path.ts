import { open } from 'node:fs/promises';

/** syncPath resolves when a file's content, or the names in a folder, are on the disk. Rejects as the file system does. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
