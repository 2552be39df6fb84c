const LINE_FEED = 10;

/** countLines counts whole lines, each ended by a line feed. */
export function countLines(lines: Uint8Array): number {
  let count = 0;
  for (let at = lines.indexOf(LINE_FEED); at !== -1; at = lines.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}

/** halve cuts lines between two of them, as near the middle as it can; null when there is only one. The halves are views. */
export function halve(lines: Uint8Array): readonly [Uint8Array, Uint8Array] | null {
  const middle = Math.floor(lines.length / 2);
  const before = middle === 0 ? 0 : lines.lastIndexOf(LINE_FEED, middle - 1) + 1;
  const behind = lines.indexOf(LINE_FEED, middle) + 1;
  const canTakeBehind = behind > 0 && behind < lines.length;
  const at = canTakeBehind && (before === 0 || behind - middle < middle - before) ? behind : before;
  return at === 0 ? null : [lines.subarray(0, at), lines.subarray(at)];
}
