/** quoteName writes any stored name as an InfluxQL identifier. Escape it with escapeText first: a line feed has no quoted form. */
export function quoteName(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** quoteText writes any stored text as an InfluxQL string, to be compared with; never as a regular expression. */
export function quoteText(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
