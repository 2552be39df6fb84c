import { type ByteCursor, equalBytes } from './byte-cursor.js';
import { parseTimestamp } from './timestamp.js';

const DAY_BYTES = '2026-01-31T'.length;
const USUAL_BYTES = '2026-01-31T12:00:00.000Z'.length;
const [ZERO, DOT, COLON, LETTER_Z] = [0x30, 0x2e, 0x3a, 0x5a] as const;

/** PlainTimestamps reads timestamps from bytes; most are of the same day as the one before, which is then not read again. */
export class PlainTimestamps {
  private day = Buffer.alloc(DAY_BYTES);
  private dayMs = NaN;

  /** read returns epoch ms, the same as parseTimestamp does for the text that the cursor has taken; NaN when it is none. */
  read(cursor: ByteCursor): number {
    const { bytes, start, end } = cursor;
    if (end - start !== USUAL_BYTES || !isUsual(bytes, start)) return parseTimestamp(cursor.text());
    if (!equalBytes(cursor.bytes, start, this.day)) {
      const day = cursor.text().slice(0, DAY_BYTES);
      this.day = Buffer.from(day);
      this.dayMs = parseTimestamp(`${day}00:00:00Z`);
    }
    const hour = two(bytes, start + 11);
    const minute = two(bytes, start + 14);
    const second = two(bytes, start + 17);
    const ms = digit(bytes[start + 20]) * 100 + two(bytes, start + 21);
    if (!(hour <= 23 && minute <= 59 && second <= 59)) return parseTimestamp(cursor.text());
    return this.dayMs + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms;
  }
}

function isUsual(bytes: Uint8Array, start: number): boolean {
  return (
    bytes[start + 13] === COLON &&
    bytes[start + 16] === COLON &&
    bytes[start + 19] === DOT &&
    bytes[start + 23] === LETTER_Z
  );
}

function two(bytes: Uint8Array, at: number): number {
  return digit(bytes[at]) * 10 + digit(bytes[at + 1]);
}

function digit(byte: number): number {
  return byte >= ZERO && byte <= ZERO + 9 ? byte - ZERO : NaN;
}
