const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

/**
 * quoteInexactIntegers puts quotes around every integer literal of a JSON text that a double cannot hold exactly
 * (such as 9007199254740993), so that the reader sees its digits instead of a neighbour.
 * Strings, and integers that are exact, stay as they are.
 */
export function quoteInexactIntegers(json: string): string {
  return json.replace(TOKEN, (token) => (token.startsWith('"') || isExactInteger(token) ? token : `"${token}"`));
}

/** isExactInteger tells whether a double holds the integer written in `digits` exactly. */
export function isExactInteger(digits: string): boolean {
  const number = Number(digits);
  return Number.isFinite(number) && BigInt(number) === BigInt(digits);
}
