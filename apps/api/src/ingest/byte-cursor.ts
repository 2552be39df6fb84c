const [OPEN, CLOSE, QUOTE, BACKSLASH] = [0x7b, 0x7d, 0x22, 0x5c] as const;
const [DASH, DOT, ZERO, LETTER_E, LETTER_N] = [0x2d, 0x2e, 0x30, 0x65, 0x6e] as const;
const NULL = Buffer.from('null');
/** A mantissa of so many digits is exact in a double, and so are the powers of ten up to it: their quotient is rounded once. */
const EXACT_DIGITS = 15;
const MAX_NUMBER_BYTES = 40;
const POWERS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, power) => 10 ** power);
/** The bytes that stand for themselves in a JSON string and nowhere need a second look: ASCII but `"`, `\` and controls. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/**
 * ByteCursor reads plain JSON tokens from bytes. What is not plain it does not take, valid or not: a text with an escape
 * or a letter beyond ASCII, an integer of more digits than are always exact.
 */
export class ByteCursor {
  at = 0;
  /** Where the text that was taken last starts and ends. */
  start = 0;
  end = 0;

  constructor(readonly bytes: Buffer) {}

  /** takes steps over `byte` when it comes next, and over white space before it. */
  takes(byte: number): boolean {
    if (this.bytes[this.at] !== byte) this.skipSpace();
    if (this.bytes[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  /** takesBytes steps over all of `wanted` when just that comes next. */
  takesBytes(wanted: Buffer): boolean {
    if (!equalBytes(this.bytes, this.at, wanted)) return false;
    this.at += wanted.length;
    return true;
  }

  /** takesNull steps over null when it comes next, and over white space before it. */
  takesNull(): boolean {
    this.skipSpace();
    return this.bytes[this.at] === LETTER_N && this.takesBytes(NULL);
  }

  /** takesText steps over a string of plain bytes; `start` and `end` are then those of what is between the quotes. */
  takesText(): boolean {
    if (!this.takes(QUOTE)) return false;
    const { bytes } = this;
    let at = this.at;
    this.start = at;
    while (at < bytes.length && PLAIN[bytes[at]] === 1) at++;
    this.end = at;
    this.at = at + 1;
    return bytes[at] === QUOTE;
  }

  /** text is the text that was taken last. */
  text(): string {
    return this.bytes.toString('latin1', this.start, this.end);
  }

  /** takesFlatObject steps over an object of plain texts, as far as a look at its bytes tells; `start` and `end` are its own. */
  takesFlatObject(): boolean {
    if (!this.takes(OPEN)) return false;
    const { bytes } = this;
    let at = this.at;
    this.start = at - 1;
    for (let isText = false; at < bytes.length && (isText || bytes[at] !== CLOSE); at++) {
      if (bytes[at] === QUOTE) isText = !isText;
      else if (PLAIN[bytes[at]] === 0) return false;
    }
    this.end = this.at = at + 1;
    return bytes[at] === CLOSE;
  }

  /** isAtEnd tells whether nothing comes but white space. */
  isAtEnd(): boolean {
    this.skipSpace();
    return this.at >= this.bytes.length;
  }

  /** number steps over a number and returns it, to the last bit what JSON.parse makes of it; NaN when none or not plain. */
  number(): number {
    const { bytes } = this;
    if (bytes[this.at] <= 0x20) this.skipSpace();
    const start = this.at;
    const first = bytes[start] === DASH ? start + 1 : start;
    let at = first;
    let mantissa = 0;
    for (let digit; (digit = bytes[at] - ZERO) >= 0 && digit <= 9; at++) mantissa = mantissa * 10 + digit;
    const whole = at - first;
    if (whole === 0 || whole > EXACT_DIGITS || (whole > 1 && bytes[first] === ZERO)) return NaN;
    let places = 0;
    if (bytes[at] === DOT) {
      const point = at++;
      for (let digit; (digit = bytes[at] - ZERO) >= 0 && digit <= 9; at++) mantissa = mantissa * 10 + digit;
      places = at - point - 1;
      if (places === 0) return NaN;
    }
    this.at = at;
    if (whole + places > EXACT_DIGITS || (bytes[at] | 0x20) === LETTER_E) return this.longNumber(start);
    const value = mantissa / POWERS[places];
    return first === start ? value : -value;
  }

  /** skipSpace steps over white space. */
  skipSpace(): void {
    const { bytes } = this;
    let at = this.at;
    while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
    this.at = at;
  }

  private longNumber(start: number): number {
    const { bytes } = this;
    let at = this.at;
    if ((bytes[at] | 0x20) === LETTER_E) {
      at++;
      if (bytes[at] === DASH || bytes[at] === 0x2b) at++;
      const exponent = at;
      while (bytes[at] >= ZERO && bytes[at] <= ZERO + 9) at++;
      if (at === exponent) return NaN;
    }
    this.at = at;
    const value = at - start <= MAX_NUMBER_BYTES ? Number(this.bytes.toString('latin1', start, at)) : NaN;
    return Number.isFinite(value) ? value : NaN;
  }
}

/** equalBytes tells whether `wanted` stands in `bytes` at a place. */
export function equalBytes(bytes: Buffer, at: number, wanted: Buffer): boolean {
  const { length } = wanted;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
