import { MAX_BATCH_ITEMS } from '@tidemark/types';
import { ByteCursor, equalBytes } from './byte-cursor.js';
import { type BoundsFault, findBoundsFault, MAX_MEMBERS } from './json-bounds.js';

/** SetAside is a batch without its items that are out of bounds, and what is wrong with each of those by its index. */
export interface SetAside {
  /** text has as many bytes as the batch had: `null` and spaces stand where such an item was. */
  readonly text: Buffer;
  readonly faults: ReadonlyMap<number, BoundsFault>;
}

const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d] as const;
const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c] as const;
const METRICS = Buffer.from('metrics');

/**
 * setAsideItems walks a batch and blanks each item of its `metrics` that is out of bounds, so that the rest can be
 * parsed. Like findBoundsFault it does not validate: an item that is set aside need not be JSON, nor need the rest. An
 * item without an end, one past as many as a batch may hold, and those of a batch with two lists of metrics are left for
 * those who judge the whole.
 */
export function setAsideItems(batch: Buffer): SetAside {
  const lists: number[] = [];
  let at = batch.indexOf(OPEN);
  // More members than that are refused whatever is in them.
  for (let members = 0; members <= MAX_MEMBERS && (members === 0 || batch[at] === COMMA); members++) {
    const list = startOfItems(batch, at + 1);
    if (list !== null) lists.push(list);
    at = endOfValue(batch, at + 1);
  }
  const [first, second] = lists;
  // Of two lists the parser takes one; to walk hundreds would cost as many times ten thousand items.
  if (first === undefined || second !== undefined) return { text: batch, faults: new Map() };
  const text = Buffer.from(batch);
  return { text, faults: blankItems(text, first) };
}

/** Where the items begin when the member that comes next is the list of metrics. */
function startOfItems(batch: Buffer, at: number): number | null {
  const cursor = new ByteCursor(batch);
  cursor.at = at;
  if (!cursor.takesText() || cursor.end - cursor.start !== METRICS.length) return null;
  if (!equalBytes(batch, cursor.start, METRICS) || !cursor.takes(COLON) || !cursor.takes(OPEN_LIST)) return null;
  return cursor.at;
}

function blankItems(text: Buffer, first: number): ReadonlyMap<number, BoundsFault> {
  const faults = new Map<number, BoundsFault>();
  let start = first;
  for (let index = 0; index <= MAX_BATCH_ITEMS; index++) {
    const end = endOfValue(text, start);
    const fault = end < text.length ? findBoundsFault(text.subarray(start, end)) : null;
    if (fault) {
      text.fill(' ', start, end).write('null', start);
      faults.set(index, fault);
    }
    if (text[end] !== COMMA) break;
    start = end + 1;
  }
  return faults;
}

/** Where the comma or bracket stands that ends a value, or a member from its name on; else the end of the bytes. */
function endOfValue(bytes: Uint8Array, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at++;
      while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    } else if (byte === OPEN || byte === OPEN_LIST) {
      depth++;
    } else if (byte === CLOSE || byte === CLOSE_LIST) {
      if (depth === 0) return at;
      depth--;
    } else if (byte === COMMA && depth === 0) {
      return at;
    }
  }
  return bytes.length;
}
