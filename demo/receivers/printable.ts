/** printable is text that came over the network, safe for a terminal: on one line, without control characters. */
export function printable(text: string): string {
  return text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
}
