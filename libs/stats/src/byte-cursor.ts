import { SketchFormatError } from './sketch-format-error.js';

const TWO_TO_53 = 2 ** 53;

/**
 * ByteCursor reads varints and float64s, little end first, from untrusted bytes; every read throws SketchFormatError
 * rather than leave the bytes or the safe integers.
 */
export class ByteCursor {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}

  byte(): number {
    if (this.at >= this.bytes.length) throw new SketchFormatError('truncated', `it ends at byte ${this.at}`);
    return this.bytes[this.at++];
  }

  /** varint reads 7 bits a byte, the lowest first, into an integer below 2^53. */
  varint(): number {
    let byte = this.byte();
    if (byte < 128) return byte;
    let value = byte & 127;
    let scale = 128;
    do {
      byte = this.byte();
      value += (byte & 127) * scale;
      scale *= 128;
      if (value >= TWO_TO_53 || scale > TWO_TO_53 * 8)
        throw new SketchFormatError('corrupt', 'an integer is too large');
    } while (byte >= 128);
    return value;
  }

  /** signed reads an integer whose first byte holds the sign in bit 0 and six bits; a varint holds the rest. */
  signed(): number {
    const first = this.byte();
    let magnitude = (first & 127) >> 1;
    if (first >= 128) {
      magnitude += 64 * this.varint();
      if (magnitude >= TWO_TO_53) throw new SketchFormatError('corrupt', 'an integer is too large');
    }
    return first & 1 ? 0 - magnitude : magnitude;
  }

  float64(): number {
    if (this.at + 8 > this.bytes.length)
      throw new SketchFormatError('truncated', `it ends at byte ${this.bytes.length}`);
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, 8);
    this.at += 8;
    return view.getFloat64(0, true);
  }
}

/** ByteWriter is the other half of ByteCursor: it writes into a buffer that grows by doubling. */
export class ByteWriter {
  private bytes = new Uint8Array(256);
  private length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow();
    this.bytes[this.length++] = value;
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  signed(value: number): void {
    const magnitude = Math.abs(value);
    const first = ((magnitude % 64) << 1) | (value < 0 ? 1 : 0);
    if (magnitude < 64) return this.byte(first);
    this.byte(first | 128);
    this.varint(Math.floor(magnitude / 64));
  }

  float64(value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value, true);
    for (let i = 0; i < 8; i++) this.byte(view.getUint8(i));
  }

  /** take is everything written so far, in an array of its own. */
  take(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private grow(): void {
    const larger = new Uint8Array(2 * this.bytes.length);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
