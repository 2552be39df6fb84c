import type { SqlValue } from '@tidemark/sqlite';

/**
 * toSqlText makes any string safe for a TEXT column: the driver cuts text at a NUL and aborts the process on a lone
 * surrogate, so both (and quotes, backslashes, control characters) are stored as JSON escapes. Equal strings have equal texts.
 */
export function toSqlText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** fromSqlText gives back the string that toSqlText was called with. Throws TypeError for a column of another kind. */
export function fromSqlText(stored: SqlValue): string {
  return JSON.parse(`"${plainText(stored)}"`) as string;
}

/** plainText checks that a column holds text. */
export function plainText(stored: SqlValue): string {
  if (typeof stored === 'string') return stored;
  throw new TypeError(`a column holds ${typeof stored} instead of text`);
}
