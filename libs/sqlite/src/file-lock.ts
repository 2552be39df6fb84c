import LibsqlDatabase from 'libsql';

/**
 * FileLock is held by one process at a time. The operating system lets go of it when that process ends, however it ends,
 * so nothing is left to clean up after a crash. The file holds nothing and belongs to the lock alone.
 */
export class FileLock {
  private constructor(private readonly handle: LibsqlDatabase.Database) {}

  /** take answers at once: the lock, or null where another process (or another part of this one) holds it. */
  static take(file: string): FileLock | null {
    const handle = new LibsqlDatabase(file);
    try {
      handle.exec('PRAGMA busy_timeout = 0');
      handle.exec('BEGIN EXCLUSIVE');
      return new FileLock(handle);
    } catch (error) {
      handle.close();
      if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return null;
      throw error;
    }
  }

  /** release lets the next one have it. */
  release(): void {
    this.handle.close();
  }
}
