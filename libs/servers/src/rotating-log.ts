import { closeSync, existsSync, openSync, renameSync, statSync, writeSync } from 'node:fs';

/** LOG_BYTES is how large a log may grow before it makes room for a new one; with the one before it, twice that is on the disk. */
export const LOG_BYTES = 10 * 1024 * 1024;

/**
 * RotatingLog is a file that what a program writes is added to. Where it is full, or was left by an earlier run, it is kept
 * as `<file>.1`, in the place of the one before. What cannot be written, as on a full disk, is left out, and how much that was
 * is said once writing works again: a log must not end what it tells of.
 */
export class RotatingLog {
  private bytes = 0;
  private lostBytes = 0;

  private constructor(
    private readonly file: string,
    private readonly maxBytes: number,
    private handle: number | null,
  ) {}

  /** open begins a new log, for the owner's eyes alone. Throws where there can be no such file. */
  static open(file: string, maxBytes = LOG_BYTES): RotatingLog {
    if (existsSync(file) && statSync(file).size > 0) renameSync(file, `${file}.1`);
    return new RotatingLog(file, maxBytes, openSync(file, 'a', 0o600));
  }

  /** add writes text at once: what a program said just before a crash is what is looked for. */
  add(text: string): void {
    const bytes = Buffer.from(text);
    try {
      if (this.bytes > 0 && this.bytes + bytes.length > this.maxBytes) this.rotate();
      if (this.lostBytes > 0) this.write(Buffer.from(`\n[${this.lostBytes} bytes could not be written here]\n`));
      this.lostBytes = 0;
      this.write(bytes);
    } catch {
      this.lostBytes += bytes.length;
    }
  }

  /** close lets go of the file; what is added later opens it again. */
  close(): void {
    if (this.handle !== null) closeSync(this.handle);
    this.handle = null;
  }

  private rotate(): void {
    this.close();
    renameSync(this.file, `${this.file}.1`);
    this.bytes = 0;
  }

  private write(bytes: Buffer): void {
    this.handle ??= openSync(this.file, 'a', 0o600);
    for (let done = 0; done < bytes.length;) done += writeSync(this.handle, bytes, done);
    this.bytes += bytes.length;
  }
}
