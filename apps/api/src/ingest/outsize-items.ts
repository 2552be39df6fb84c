import { MAX_BATCH_ITEMS } from '@tidemark/types';
import { type BoundsFault, findBoundsFault } from './json-bounds.js';

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
 * setAsideItems walks a batch once and blanks each item of its `metrics` that is out of bounds, so that the rest can be
 * parsed. Like findBoundsFault it does not validate: an item that is set aside need not be JSON, nor need the rest. An
 * item without an end, or one past as many as a batch may hold, is left for those who judge the whole.
 */
export function setAsideItems(batch: Buffer): SetAside {
  const text = Buffer.from(batch);
  let faults = new Map<number, BoundsFault>();
  let depth = 0;
  let index = 0;
  /** Where the item being walked over begins; -1 outside of the list. */
  let start = -1;
  /** Whether the value that comes next is that of the member `metrics`. */
  let isNamed = false;
  let name = batch.subarray(0, 0);
  const endItem = (end: number): void => {
    const fault = findBoundsFault(batch.subarray(start, end));
    if (!fault) return;
    text.fill(' ', start, end).write('null', start);
    faults.set(index, fault);
  };
  for (let i = 0; i < batch.length && index <= MAX_BATCH_ITEMS; i++) {
    const byte = batch[i];
    if (byte === QUOTE) {
      const end = endOfText(batch, i);
      if (depth === 1) name = batch.subarray(i + 1, end);
      i = end;
    } else if (byte === COLON) {
      if (depth === 1) isNamed = name.equals(METRICS);
    } else if (byte === OPEN || byte === OPEN_LIST) {
      depth++;
      if (depth === 2 && isNamed && byte === OPEN_LIST) {
        // Of two lists of that name the parser takes the last.
        faults = new Map();
        index = 0;
        start = i + 1;
      }
    } else if (byte === COMMA) {
      if (depth === 1) isNamed = false;
      if (depth === 2 && start >= 0) {
        endItem(i);
        index++;
        start = i + 1;
      }
    } else if (byte === CLOSE || byte === CLOSE_LIST) {
      if (depth === 2 && start >= 0) {
        endItem(i);
        start = -1;
      }
      if (depth > 0) depth--;
    }
  }
  return { text, faults };
}

/** Where the quote stands that ends a text, or the end of the bytes. */
function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
