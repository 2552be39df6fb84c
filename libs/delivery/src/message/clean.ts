/** Terminal control sequences: CSI (colours, cursor), OSC (titles, links) and the two-character ones. */
/* eslint-disable no-control-regex -- control characters are what this looks for */
const TERMINAL =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -~]|\u009b[0-?]*[ -/]*[@-~]/g;
/* eslint-enable no-control-regex */

/**
 * Controls, line and paragraph separators, lone surrogates and invisible formatting (bidirectional overrides, zero-width
 * spaces, tags). The two joiners stay: Persian and emoji need them.
 */
const INVISIBLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/**
 * cleanLine makes text of unknown origin fit for one line of a message: no terminal sequences, no control or invisible
 * characters (each run of them is one space), at most `maxLength` UTF-16 units, cut between characters and marked with an ellipsis.
 */
export function cleanLine(text: string, maxLength: number): string {
  // Twice the limit is looked at: enough to fill it after cleaning in every honest case, and bounded in the others.
  const line = text
    .slice(0, maxLength * 2 + 64)
    .replace(TERMINAL, '')
    .replace(INVISIBLE, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  return cutTo(line, maxLength);
}

/** cutTo shortens text to `maxLength` UTF-16 units without splitting a character; the last one becomes an ellipsis. */
export function cutTo(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  let cut = '';
  for (const character of text) {
    if (cut.length + character.length > maxLength - 1) break;
    cut += character;
  }
  return `${cut}…`;
}
