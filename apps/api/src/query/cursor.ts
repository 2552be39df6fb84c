import type { Position } from '../store/point-store.js';

/** writeCursor makes the opaque text that names where a page ended. */
export function writeCursor(position: Position): string {
  return Buffer.from(`${position.timestampMs}.${position.seq}`).toString('base64url');
}

/** readCursor reads a cursor back; null for a text that is none. */
export function readCursor(text: string): Position | null {
  const match = /^(\d{1,16})\.(\d{1,16})$/.exec(Buffer.from(text, 'base64url').toString('latin1'));
  return match ? { timestampMs: Number(match[1]), seq: Number(match[2]) } : null;
}
