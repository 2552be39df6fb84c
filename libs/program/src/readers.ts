import { isIP } from 'node:net';
import {
  type AllowRule,
  type Mailbox,
  parseAllowList,
  parseMailbox,
  parseSmtpUrl,
  type SmtpServer,
} from '@tidemark/delivery';

/** integer reads a whole number within bounds. */
export function integer(min: number, max: number) {
  return (text: string): number => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(number >= min && number <= max)) throw new Error(`"${text}" is not a whole number from ${min} to ${max}`);
    return number;
  };
}

/** word reads one of some words. */
export function word<const T extends string>(words: readonly T[]) {
  return (text: string): T => {
    const found = words.find((candidate) => candidate === text);
    if (!found) throw new Error(`"${text}" is not one of ${words.join(', ')}`);
    return found;
  };
}

/** optional reads an empty text as null. */
export function optional<T>(read: (text: string) => T) {
  return (text: string): T | null => (text === '' ? null : read(text));
}

/** list reads texts separated by commas. */
export function list<T>(read: (text: string) => T) {
  return (text: string): readonly T[] =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(read);
}

/** host reads an IP address or `localhost`. */
export function host(text: string): string {
  if (text !== 'localhost' && isIP(text) === 0) throw new Error(`"${text}" is neither an IP address nor localhost`);
  return text;
}

/** urlOf reads a URL of some protocols, such as `['http:', 'https:']`. */
export function urlOf(protocols: readonly string[]) {
  return (text: string): URL => {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (!url || !protocols.includes(url.protocol)) {
      throw new Error(`it is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
    }
    return url;
  };
}

const webUrl = urlOf(['http:', 'https:']);

/** httpUrl reads a URL of the web, without a slash at its end. */
export function httpUrl(text: string): string {
  return webUrl(text).href.replace(/\/$/, '');
}

/** origin reads the origin of a web page. */
export function origin(text: string): string {
  return webUrl(text).origin;
}

/** smtpServer reads the URL of a mail server. */
export function smtpServer(text: string): SmtpServer {
  const parsed = parseSmtpUrl(text);
  if (!parsed.ok) throw new Error(parsed.fault);
  return parsed.server;
}

/** mailbox reads one mail address, with or without a name. */
export function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  if (!parsed) throw new Error('it is not one mail address such as Tidemark <alerts@example.com>');
  return parsed;
}

/** allowList reads the private addresses that may be reached. */
export function allowList(text: string): readonly AllowRule[] {
  const parsed = parseAllowList(list((entry) => entry)(text));
  if (!parsed.ok) throw new Error(parsed.faults.join('; '));
  return parsed.rules;
}

/** secret reads a text of at least 32 characters. */
export function secret(text: string): string {
  if (text.length < 32) throw new Error(`it has ${text.length} characters and needs at least 32`);
  return text;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** duration reads a time with its unit, such as `90s`, of at least a second; in ms. */
export const duration = durationFrom('1s');

/** durationFrom reads such a time of at least `least`; in ms. */
export function durationFrom(least: string): (text: string) => number {
  return (text) => {
    if (/^[1-9]\d{6,}[smhd]$/.test(text))
      throw new Error(`"${text.slice(0, 40)}" is too long; the most is 999999 of a unit`);
    const ms = durationMs(text);
    if (ms < durationMs(least)) throw new Error(`"${text.slice(0, 40)}" is too short; the least is ${least}`);
    return ms;
  };
}

function durationMs(text: string): number {
  const match = /^(0+|[1-9]\d{0,5})([smhd])$/.exec(text);
  if (!match?.[1] || !match[2]) throw new Error(`"${text}" is not a time such as 90s, 15m, 12h or 7d`);
  return Number(match[1]) * (UNIT_MS[match[2]] ?? 0);
}

const UNIT_BYTES: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };

/** size reads an amount of data with its unit, such as `512MB`; in bytes. */
export function size(text: string): number {
  if (/^[1-9]\d{6,}(MB|GB)$/.test(text))
    throw new Error(`"${text.slice(0, 40)}" is too much; the most is 999999 of a unit`);
  const match = /^([1-9]\d{0,5})(MB|GB)$/.exec(text);
  if (!match?.[1] || !match[2]) throw new Error(`"${text}" is not a size such as 512MB or 4GB`);
  return Number(match[1]) * (UNIT_BYTES[match[2]] ?? 0);
}
