import { escapeTagValue, escapeText } from './text-escape.js';

const KEY_SPECIALS = /[,= ]/g;
const QUOTES = /"/g;
const PLAIN_STRING = /^[A-Za-z0-9_.:/@+*()[\]{}<>|~;?!$&#^'` ,=-]*$/;

/** tagText is one tag of a line with the comma before it; any key and value come back from InfluxDB through unescape. */
export function tagText(key: string, value: string): string {
  return `,${fieldKey(key)}=${escapeTagValue(value).replace(KEY_SPECIALS, '\\$&')}`;
}

/** fieldKey is the key of a field as it stands in a line; tags' keys follow the same rules. */
export function fieldKey(key: string): string {
  return escapeText(key).replace(KEY_SPECIALS, '\\$&');
}

/** stringField is the value of a field that holds text. */
export function stringField(text: string): string {
  return PLAIN_STRING.test(text) ? `"${text}"` : `"${escapeText(text).replace(QUOTES, '\\"')}"`;
}

/** floatField is the value of a field that holds a finite number: the shortest text that reads back as the same number. */
export function floatField(value: number): string {
  return value === 0 && Object.is(value, -0) ? '-0' : `${value}`;
}

/** nanoseconds is the timestamp of a line: whole ms, and a number below a million that tells points of one ms apart. */
export function nanoseconds(ms: number, low: number): string {
  return `${ms}${String(low).padStart(6, '0')}`;
}
