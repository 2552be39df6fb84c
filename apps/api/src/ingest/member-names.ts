import { type ByteCursor, equalBytes } from './byte-cursor.js';

const COLON = 0x3a;

/** MemberNames recognises the names of an object's members, at once where they come in the order that they came in last. */
export class MemberNames {
  private readonly names: readonly Buffer[];
  /** As most writers put them, with quotes and colon. */
  private readonly usual: readonly Buffer[];
  /** For each place the one that followed last; for the one past the end, the first. */
  private readonly following: number[];

  constructor(names: readonly string[]) {
    this.names = names.map((name) => Buffer.from(name));
    this.usual = names.map((name) => Buffer.from(`"${name}":`));
    this.following = [...names.map((_, place) => (place + 1) % names.length), 0];
  }

  /** start is what to name as the place before the first member. */
  get start(): number {
    return this.names.length;
  }

  /** take steps over a name and its colon, and returns its place among the names, or -1. */
  take(cursor: ByteCursor, previous: number): number {
    const expected = this.following[previous];
    if (cursor.takesBytes(this.usual[expected])) return expected;
    if (!cursor.takesText()) return -1;
    const { bytes, start, end } = cursor;
    const place = this.names.findIndex((name) => name.length === end - start && equalBytes(bytes, start, name));
    this.following[previous] = Math.max(place, 0);
    return cursor.takes(COLON) ? place : -1;
  }
}
