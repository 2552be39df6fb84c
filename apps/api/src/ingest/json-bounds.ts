/** BoundsFault says which bound a JSON text breaks, and at which byte. */
export interface BoundsFault {
  readonly code: 'too_deep' | 'too_many_keys';
  readonly offset: number;
}

/** MAX_DEPTH is how deep a body may be nested. */
export const MAX_DEPTH = 32;
/** MAX_MEMBERS is how many members an object may have. */
export const MAX_MEMBERS = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * findBoundsFault scans a JSON text (UTF-8) before it is parsed, because a hostile text costs the parser far more than
 * this scan: 500,000 nested arrays or an object of a million members. It does not validate; it returns null for any
 * text within bounds, valid or not.
 */
export function findBoundsFault(text: Uint8Array, maxDepth: number = MAX_DEPTH): BoundsFault | null {
  const members = new Int32Array(maxDepth + 2);
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i];
    if (byte === QUOTE) {
      i++;
      while (i < text.length && text[i] !== QUOTE) i += text[i] === BACKSLASH ? 2 : 1;
    } else if (byte === COLON) {
      const count = (members[depth] ?? 0) + 1;
      if (count > MAX_MEMBERS) return { code: 'too_many_keys', offset: i };
      members[depth] = count;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth > maxDepth) return { code: 'too_deep', offset: i };
      members[depth] = 0;
    } else if (byte === 0x7d || byte === 0x5d) {
      if (depth > 0) depth--;
    }
  }
  return null;
}
