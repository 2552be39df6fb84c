import { accessSync, constants } from 'node:fs';
import { makeFolder } from './make-folder.js';

/** folderFault makes the data folder and answers null, or a line that says why it cannot be used. */
export function folderFault(dataDir: string): string | null {
  try {
    makeFolder(dataDir);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return `TIDEMARK_DATA_DIR: ${dataDir} cannot be written (${reason}); choose a folder that this user may write`;
  }
}
