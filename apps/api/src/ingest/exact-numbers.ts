/** FIRST_UNSAFE is where integers begin that may have been another number in the text. */
export const FIRST_UNSAFE = 2 ** 53;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Every integer of fewer digits is exact. */
const LONG_RUN = /\d{16}/;
const LONG_INTEGER = /^-?\d{16,}$/;

/**
 * quoteInexactIntegers puts quotes around every integer literal of a JSON text that a double does not give back
 * (such as 9007199254740993), so that the reader sees its digits instead of a neighbour.
 * Strings, and integers that are exact, stay as they are. It walks the text once, whatever the text is: a pattern that
 * steps over strings and numbers takes time quadratic in a hostile one.
 */
export function quoteInexactIntegers(json: string): string {
  if (!LONG_RUN.test(json)) return json;
  let quoted = '';
  let copied = 0;
  for (let at = 0; at < json.length;) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at);
    else if (isNumeric(code)) {
      const end = endOfNumber(json, at);
      const token = json.slice(at, end);
      if (LONG_INTEGER.test(token) && !isExactInteger(token)) {
        quoted += `${json.slice(copied, at)}"${token}"`;
        copied = end;
      }
      at = end;
    } else at++;
  }
  return quoted + json.slice(copied);
}

/**
 * isExactInteger tells whether a double gives the integer written in `digits` back: it is the double's value, or what
 * the double is written as again. A double beyond 2^53 has both, as JavaScript writes the shortest digits that tell it
 * from its neighbours and fills up with zeros: 2^60 is 1152921504606846976, written 1152921504606847000. Both name this
 * double and come back as what was sent; any other integer near it would come back as another.
 */
export function isExactInteger(digits: string): boolean {
  const number = Number(digits);
  if (!Number.isFinite(number)) return false;
  const integer = BigInt(digits);
  return BigInt(number) === integer || writtenAs(number) === integer;
}

/** The integer that the text of an integral double names: `1.5e+21` is 1500000000000000000000. */
function writtenAs(number: number): bigint {
  const [mantissa = '', exponent = '0'] = String(number).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return BigInt(whole + fraction.padEnd(Number(exponent), '0'));
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function endOfNumber(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && isNumeric(json.charCodeAt(at))) at++;
  return at;
}

/** A digit, a sign, a dot or an exponent: whatever a number can hold. */
function isNumeric(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2b || code === 0x2e || (code | 0x20) === 0x65;
}
