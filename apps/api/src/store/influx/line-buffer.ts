const FIRST_BYTES = 64 * 1024;
// eslint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007f]*$/;

/** LineBuffer gathers lines in bytes that grow with them. */
export class LineBuffer {
  private bytes = Buffer.allocUnsafe(FIRST_BYTES);
  private used = 0;

  get length(): number {
    return this.used;
  }

  text(text: string): void {
    if (ASCII.test(text)) {
      this.reserve(text.length);
      this.used += this.bytes.write(text, this.used, 'latin1');
    } else {
      this.reserve(text.length * 3);
      this.used += this.bytes.write(text, this.used, 'utf8');
    }
  }

  raw(bytes: Buffer): void {
    this.reserve(bytes.length);
    this.used += bytes.copy(this.bytes, this.used);
  }

  /** take gives away what was gathered; the buffer is not to be used again. */
  take(): Buffer {
    return this.bytes.subarray(0, this.used);
  }

  private reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.used + more));
    this.bytes.copy(grown, 0, 0, this.used);
    this.bytes = grown;
  }
}
