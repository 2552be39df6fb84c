/** PLAIN is text that no part of a line needs to escape. */
const PLAIN = /^[A-Za-z0-9_.:/@+*()[\]{}<>|~;?!$&#^'`-]*$/;
// eslint-disable-next-line no-control-regex
const UNSTORABLE = /[%\\\u0000-\u001f\u007f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const ESCAPES = /%u([0-9a-f]{4})|%([0-9A-F]{2})/g;
/** EMPTY stands for the empty string where none can be stored: in no other escaped text does `%` come last. */
const EMPTY = '%';

/**
 * escapeText makes any string one that InfluxDB stores as it is and on one line: controls, lone surrogates, the backslash
 * (a tag that ends in one swallows what follows) and `%` become %XX or %uxxxx. All other text stays readable.
 */
export function escapeText(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNSTORABLE, escapeOne);
}

/** unescapeText gives back what escapeText was called with. */
export function unescapeText(stored: string): string {
  if (!stored.includes('%')) return stored;
  return stored.replace(ESCAPES, (_, unit?: string, byte?: string) =>
    String.fromCharCode(Number.parseInt(unit ?? byte ?? '', 16)),
  );
}

/** escapeTagValue is escapeText for the value of a tag, which InfluxDB cannot store empty. */
export function escapeTagValue(value: string): string {
  return value === '' ? EMPTY : escapeText(value);
}

/** unescapeTagValue gives back what escapeTagValue was called with. */
export function unescapeTagValue(stored: string): string {
  return stored === EMPTY ? '' : unescapeText(stored);
}

function escapeOne(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x80) return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
  return `%u${code.toString(16).padStart(4, '0')}`;
}
