const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
/** A header's value is visible ASCII and inner spaces: no CR, LF, NUL, and nothing that is encoded differently on the way. */
const VALUE = /^(?:[\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?)?$/;
const MAX_HEADERS = 32;

/** Set by the sender or by HTTP itself: a custom header must not change where a request goes or how it is framed. */
const RESERVED = new Set([
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);
const RESERVED_PREFIXES = ['webhook-', 'proxy-', 'sec-'];

/** customHeaderFault says what is wrong with a webhook's custom headers, or undefined. At most 32, of 4 KiB each. */
export function customHeaderFault(headers: Readonly<Record<string, string>>): string | undefined {
  const names = Object.keys(headers);
  if (names.length > MAX_HEADERS) return `at most ${MAX_HEADERS} custom headers are allowed`;
  const seen = new Set<string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    if (!TOKEN.test(name)) return 'a header name holds a character that HTTP does not allow';
    if (RESERVED.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix))) {
      return `the header ${lower} is set by the sender`;
    }
    if (seen.has(lower)) return `the header ${lower} is given twice`;
    if (!VALUE.test(headers[name] ?? '')) return `the value of ${lower} holds a character that HTTP does not allow`;
    seen.add(lower);
  }
  return undefined;
}
