const ZERO = 48;
const ID_DIGITS = 12;
const ID_AT = 24;
const HEX = Buffer.from('0123456789abcdef', 'latin1');

/** Field is a place in bytes that holds so many digits. */
export interface Field {
  readonly at: number;
  readonly digits: number;
}

/** positionsOf finds every place where a text stands. */
export function positionsOf(bytes: Buffer, text: string): number[] {
  const positions: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) positions.push(at);
  return positions;
}

/** writeDigits writes the last digits of a whole number, with zeros before it. */
export function writeDigits(bytes: Buffer, { at, digits }: Field, value: number): void {
  let rest = value;
  for (let digit = digits - 1; digit >= 0; digit--) {
    const tens = Math.floor(rest / 10);
    bytes[at + digit] = ZERO + rest - tens * 10;
    rest = tens;
  }
}

/** writeId writes a number as the last part of the UUID that stands at a place. */
export function writeId(bytes: Buffer, at: number, id: number): void {
  let rest = id;
  for (let digit = ID_DIGITS - 1; digit >= 0; digit--) {
    bytes[at + ID_AT + digit] = HEX[rest % 16] ?? ZERO;
    rest = Math.floor(rest / 16);
  }
}
