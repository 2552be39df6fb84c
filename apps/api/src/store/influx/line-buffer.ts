import { floatField, nanoseconds, stringField } from './line-protocol.js';

const FIRST_BYTES = 64 * 1024;
// eslint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007f]*$/;
const [ZERO, POINT, QUOTE] = [48, 46, 34];
/** Shorter ones are copied byte by byte: to call for it costs more. */
const SHORT = 40;
/** A quoted text and a number have room in as many bytes. */
const SHORT_TEXT = 128;
const MAX_NUMBER_BYTES = 32;
const MILLION = 1_000_000;
/** Below it a millionth is far more than what a double rounds to, so that six places never round up to a whole. */
const MAX_DECIMAL = 1e9;
const PLAIN_BYTES = plainBytes();

/** LineBuffer gathers lines in bytes that grow with them. */
export class LineBuffer {
  private bytes: Buffer;
  private used = 0;

  /** The bytes grow, whatever is expected; to know them saves copying. */
  constructor(expectedBytes = FIRST_BYTES) {
    this.bytes = Buffer.allocUnsafeSlow(expectedBytes);
  }

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
    const { length } = bytes;
    if (length > SHORT) this.bytes.set(bytes, this.used);
    else for (let i = 0; i < length; i++) this.bytes[this.used + i] = bytes[i];
    this.used += length;
  }

  /** float writes what floatField makes: digit by digit where the number has up to six places, as most of a metric do. */
  float(value: number): void {
    if (value > 0 && value < MAX_DECIMAL) {
      const millionths = Math.round(value * MILLION);
      // Both are the double nearest to that decimal number, so the text reads back as the same.
      if (millionths / MILLION === value) {
        this.reserve(MAX_NUMBER_BYTES);
        this.decimal(millionths);
        return;
      }
    }
    this.text(floatField(value));
  }

  /** integer writes a whole number of up to 2^53. */
  integer(value: number): void {
    if (value < 0) {
      this.text(String(value));
      return;
    }
    this.reserve(MAX_NUMBER_BYTES);
    const high = Math.floor(value / MAX_DECIMAL);
    if (high === 0) {
      this.digits(value, digitsOf(value));
      return;
    }
    this.digits(high, digitsOf(high));
    this.digits(value - high * MAX_DECIMAL, 9);
  }

  /** time writes what nanoseconds makes. */
  time(ms: number, low: number): void {
    if (ms < 0) {
      this.text(nanoseconds(ms, low));
      return;
    }
    this.integer(ms);
    this.reserve(MAX_NUMBER_BYTES);
    this.digits(low, 6);
  }

  /** quoted writes what stringField makes. */
  quoted(text: string): void {
    const { length } = text;
    if (length > SHORT_TEXT) {
      this.text(stringField(text));
      return;
    }
    this.reserve(length + 2);
    const { bytes, used } = this;
    bytes[used] = QUOTE;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (PLAIN_BYTES[code] !== 1) {
        this.text(stringField(text));
        return;
      }
      bytes[used + 1 + i] = code;
    }
    bytes[used + 1 + length] = QUOTE;
    this.used += length + 2;
  }

  /** take gives away what was gathered; the buffer is not to be used again. */
  take(): Buffer {
    return this.bytes.subarray(0, this.used);
  }

  /** The places behind the point are written without the zeros at their end. */
  private decimal(millionths: number): void {
    const whole = Math.floor(millionths / MILLION);
    this.digits(whole, digitsOf(whole));
    let places = millionths - whole * MILLION;
    if (places === 0) return;
    let count = 6;
    if (places % 1000 === 0) {
      places /= 1000;
      count = 3;
    }
    while (places % 10 === 0) {
      places /= 10;
      count--;
    }
    this.bytes[this.used++] = POINT;
    this.digits(places, count);
  }

  /** The last `count` digits of a whole number below 2^31, where there is room for them. */
  private digits(value: number, count: number): void {
    let rest = value | 0;
    for (let at = this.used + count - 1; at >= this.used; at--) {
      const tens = (rest / 10) | 0;
      this.bytes[at] = ZERO + rest - tens * 10;
      rest = tens;
    }
    this.used += count;
  }

  private reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.used + more));
    this.bytes.copy(grown, 0, 0, this.used);
    this.bytes = grown;
  }
}

function digitsOf(value: number): number {
  let count = 1;
  for (let power = 10; power <= value; power *= 10) count++;
  return count;
}

/** The characters of which stringField makes itself, by their code. */
function plainBytes(): Uint8Array {
  return Uint8Array.from({ length: 128 }, (_, code) => {
    const text = String.fromCharCode(code);
    return stringField(text) === `"${text}"` ? 1 : 0;
  });
}
