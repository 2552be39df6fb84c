import { type FileHandle, open } from 'node:fs/promises';

/** SegmentFile is a segment that is being written. It is told only by `syncedBytes` how far it may be believed. */
export class SegmentFile {
  private synced = 0;

  private constructor(private readonly handle: FileHandle) {}

  /** create makes a new file for the owner's eyes alone; it rejects where one is there already. */
  static async create(file: string): Promise<SegmentFile> {
    return new SegmentFile(await open(file, 'wx', 0o600));
  }

  /** syncedBytes is how much of the file is on disk for certain. */
  get syncedBytes(): number {
    return this.synced;
  }

  /** append puts bytes at the end and resolves when they are on disk. After a rejection the file must be mended. */
  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      // A disk that has room for a part takes that part and says so; the next call is the one that fails.
      const { bytesWritten } = await this.handle.write(bytes, done, bytes.length - done, this.synced + done);
      done += bytesWritten;
    }
    await this.handle.datasync();
    this.synced += bytes.length;
  }

  /** mend cuts off what an append left behind that failed, so that nobody reads what was refused, also after a power cut. */
  async mend(): Promise<void> {
    await this.handle.truncate(this.synced);
    await this.handle.datasync();
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
