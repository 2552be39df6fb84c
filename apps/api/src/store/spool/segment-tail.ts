import { SegmentFile } from './segment-file.js';
import type { SegmentFolder } from './segment-folder.js';

/**
 * SegmentTail is the end of a spool that grows: one open segment, and a new one whenever it is full or an append failed.
 * A segment of an earlier process is never continued, so that what a crash cut off stays at the end of its file.
 */
export class SegmentTail {
  private file: SegmentFile | null = null;
  private isBroken = false;
  private number: number;

  constructor(
    private readonly folder: SegmentFolder,
    /** A segment that would grow past it is sealed first; a larger frame has a segment of its own. */
    private readonly segmentBytes: number,
    lastNumber: number,
  ) {
    this.number = lastNumber;
  }

  /** append resolves with the number of the segment when the bytes are on disk, or rejects and leaves nothing of them. */
  async append(bytes: Uint8Array): Promise<number> {
    await this.mend();
    if (this.file && this.file.syncedBytes + bytes.length > this.segmentBytes) await this.seal();
    const file = this.file ?? (await this.begin());
    try {
      await file.append(bytes);
    } catch (error) {
      this.isBroken = true;
      // If this fails too, the next append tries again before anything else: a refused frame must not be found later.
      await this.mend().catch(() => undefined);
      throw error;
    }
    return this.number;
  }

  /** sealIf ends the open segment if it has this number: what comes next begins another one. */
  async sealIf(number: number): Promise<void> {
    if (this.number === number) await this.close();
  }

  /** close ends the open segment, if there is one. */
  async close(): Promise<void> {
    await this.mend();
    await this.seal();
  }

  private async begin(): Promise<SegmentFile> {
    const number = ++this.number;
    const file = await SegmentFile.create(this.folder.file(number));
    try {
      await this.folder.sync();
    } catch (error) {
      await file.close();
      await this.folder.remove(number).catch(() => undefined); // empty: whoever opens the spool next removes it
      throw error;
    }
    this.file = file;
    return file;
  }

  /** After a failed sync the state of the file's cached pages is unknown; a new file does not depend on them. */
  private async mend(): Promise<void> {
    if (!this.isBroken || !this.file) return;
    const isEmpty = this.file.syncedBytes === 0;
    await this.file.mend();
    this.isBroken = false;
    await this.seal();
    if (isEmpty) await this.folder.remove(this.number);
  }

  private async seal(): Promise<void> {
    const file = this.file;
    this.file = null;
    await file?.close();
  }
}
