import { open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../platform/make-folder.js';
import { syncPath } from '../../platform/sync-path.js';

const NAME = /^(\d{12})\.segment$/;

/** SegmentFolder is the folder of a spool: files with rising numbers, whose coming and going is synced too. */
export class SegmentFolder {
  private constructor(private readonly folder: string) {}

  /** open makes the folder where it is missing, for the owner's eyes alone. */
  static async open(folder: string): Promise<SegmentFolder> {
    makeFolder(folder);
    await syncPath(dirname(folder));
    return new SegmentFolder(folder);
  }

  /** numbers lists the segments that are there, oldest first; files of other names are left alone. */
  async numbers(): Promise<number[]> {
    const names = await readdir(this.folder);
    const numbers = names.map((name) => Number(NAME.exec(name)?.[1] ?? NaN));
    return numbers.filter((number) => !Number.isNaN(number)).toSorted((a, b) => a - b);
  }

  /** file is where the segment of a number is kept. */
  file(number: number): string {
    return join(this.folder, `${String(number).padStart(12, '0')}.segment`);
  }

  /** read answers the bytes of a segment from `start` to `end`, or all of them. */
  async read(number: number, start = 0, end?: number): Promise<Buffer> {
    const handle = await open(this.file(number), 'r');
    try {
      const bytes = Buffer.allocUnsafe((end ?? (await handle.stat()).size) - start);
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
        if (bytesRead === 0) return bytes.subarray(0, done); // somebody cut it
        done += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  }

  /** remove deletes a segment and resolves when a loss of power cannot bring it back; it may be called again. */
  async remove(number: number): Promise<void> {
    await rm(this.file(number), { force: true });
    await this.sync();
  }

  /** sync resolves when the names of the files are on disk. */
  sync(): Promise<void> {
    return syncPath(this.folder);
  }
}
