import { isIP } from 'node:net';
import { resolve } from 'node:path';
import {
  type AllowRule,
  type Mailbox,
  parseAllowList,
  parseMailbox,
  parseSmtpUrl,
  type SmtpServer,
} from '@tidemark/delivery';

/** Config is everything that can be set from outside, read once at boot. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly publicUrl: string | null;
  readonly allowedOrigins: readonly string[];
  readonly allowedTargets: readonly AllowRule[];
  readonly secret: string | null;
  readonly smtp: SmtpServer | null;
  readonly emailFrom: Mailbox;
  readonly maxSeries: number;
  readonly maxQueuedPoints: number;
  readonly ringPoints: number;
  readonly ringModels: number;
  readonly keyRateLimit: number;
  readonly liveClients: number;
  readonly retention: { readonly rawMs: number; readonly minuteMs: number; readonly hourMs: number };
  readonly drainMs: number;
}

/** LogLevel is how much is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];
const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'silent'] as const;

/** ConfigKey is one variable: what it means, its default as written, and how its text is read. */
export interface ConfigKey<T> {
  readonly env: string;
  readonly byDefault: string;
  readonly help: string;
  /** read returns the value, or throws an Error that says what the text should be. */
  readonly read: (text: string) => T;
}

/** CONFIG_KEYS are all variables, in the order of the documentation. */
export const CONFIG_KEYS = {
  host: key(
    'API_HOST',
    '127.0.0.1',
    'Address to listen on. Any but a loopback address needs an API key first.',
    readHost,
  ),
  port: key('API_PORT', '8000', 'Port to listen on; 0 takes a free one.', integer(0, 65535)),
  dataDir: key('TIDEMARK_DATA_DIR', './data', 'Folder for the embedded databases and the secret key.', (text) =>
    resolve(text),
  ),
  logLevel: key('LOG_LEVEL', 'info', `How much to log: ${LOG_LEVELS.join(', ')}.`, word(LOG_LEVELS)),
  publicUrl: key(
    'TIDEMARK_PUBLIC_URL',
    '',
    'Where people reach this server; notifications link there.',
    optional(httpUrl),
  ),
  allowedOrigins: key(
    'TIDEMARK_ALLOWED_ORIGINS',
    '',
    'Origins of web pages that may call the API, separated by commas.',
    list(origin),
  ),
  allowedTargets: key(
    'TIDEMARK_ALLOWED_TARGETS',
    '',
    'Private addresses that webhooks and Slack channels may reach: host, host:port or CIDR, separated by commas.',
    allowList,
  ),
  secret: key(
    'TIDEMARK_SECRET',
    '',
    'Secret (at least 32 characters) that seals the secrets of channels; when absent, a key file in the data folder.',
    optional(secret),
  ),
  smtp: key(
    'SMTP_URL',
    '',
    'Mail server for email channels, such as smtp://user:password@mail.example.com:587.',
    optional(smtpServer),
  ),
  emailFrom: key('TIDEMARK_EMAIL_FROM', 'Tidemark <tidemark@localhost>', 'Sender of emails.', mailbox),
  maxSeries: key(
    'TIDEMARK_MAX_SERIES',
    '10000',
    'Active series (model and tags) a project may have.',
    integer(1, 1_000_000),
  ),
  maxQueuedPoints: key(
    'TIDEMARK_MAX_QUEUED_POINTS',
    '100000',
    'Points that may wait for the disk before requests are answered 503.',
    integer(1000, 10_000_000),
  ),
  ringPoints: key(
    'TIDEMARK_RING_POINTS',
    '1024',
    'Newest points kept in memory for each model.',
    integer(16, 1_048_576),
  ),
  ringModels: key(
    'TIDEMARK_RING_MODELS',
    '1000',
    'Models whose newest points are kept in memory.',
    integer(1, 100_000),
  ),
  keyRateLimit: key(
    'TIDEMARK_KEY_RATE_LIMIT',
    '60000',
    'Requests a minute that one API key may make; 0 for no limit.',
    integer(0, 1e9),
  ),
  liveClients: key(
    'TIDEMARK_LIVE_CLIENTS',
    '10000',
    'Clients that may follow the live feed at once.',
    integer(1, 100_000),
  ),
  rawRetention: key('TIDEMARK_RETENTION_RAW', '7d', 'How long single points are kept.', duration),
  minuteRetention: key('TIDEMARK_RETENTION_MINUTE', '30d', 'How long figures by the minute are kept.', duration),
  hourRetention: key('TIDEMARK_RETENTION_HOUR', '400d', 'How long figures by the hour are kept.', duration),
  drainMs: key('TIDEMARK_DRAIN_TIMEOUT', '10s', 'How long a stopping server finishes what it has begun.', duration),
} as const;

const LATER = ['INFLUXDB_URL', 'REDIS_URL', 'DATABASE_URL'] as const;

/** ConfigOutcome is a frozen Config, or every fault found, one line each. */
export type ConfigOutcome =
  { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly faults: readonly string[] };

/** readConfig reads the whole environment and reports all faults together. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ConfigOutcome {
  const faults: string[] = [];
  function value<T>(entry: ConfigKey<T>): T {
    const given = env[entry.env]?.trim();
    try {
      return entry.read(given || entry.byDefault);
    } catch (error) {
      faults.push(`${entry.env}: ${error instanceof Error ? error.message : String(error)}`);
      return entry.read(entry.byDefault);
    }
  }
  const K = CONFIG_KEYS;
  const config: Config = {
    host: value(K.host),
    port: value(K.port),
    dataDir: value(K.dataDir),
    logLevel: value(K.logLevel),
    publicUrl: value(K.publicUrl),
    allowedOrigins: value(K.allowedOrigins),
    allowedTargets: value(K.allowedTargets),
    secret: value(K.secret),
    smtp: value(K.smtp),
    emailFrom: value(K.emailFrom),
    maxSeries: value(K.maxSeries),
    maxQueuedPoints: value(K.maxQueuedPoints),
    ringPoints: value(K.ringPoints),
    ringModels: value(K.ringModels),
    keyRateLimit: value(K.keyRateLimit),
    liveClients: value(K.liveClients),
    retention: { rawMs: value(K.rawRetention), minuteMs: value(K.minuteRetention), hourMs: value(K.hourRetention) },
    drainMs: value(K.drainMs),
  };
  for (const name of LATER) {
    if (env[name]) faults.push(`${name}: is set, but this version stores everything in its own files; unset it`);
  }
  faults.push(...unknownNames(env));
  return faults.length > 0 ? { ok: false, faults } : { ok: true, config: Object.freeze(config) };
}

/** isLoopback tells whether a host to listen on can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function unknownNames(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set<string>(Object.values(CONFIG_KEYS).map((entry) => entry.env));
  const strangers = Object.keys(env).filter((name) => name.startsWith('TIDEMARK_') && !known.has(name));
  return strangers.map((name) => `${name}: is not a variable of Tidemark; docs/configuration.md lists them all`);
}

function key<T>(env: string, byDefault: string, help: string, read: (text: string) => T): ConfigKey<T> {
  return { env, byDefault, help, read };
}

function integer(min: number, max: number) {
  return (text: string): number => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(number >= min && number <= max)) throw new Error(`"${text}" is not a whole number from ${min} to ${max}`);
    return number;
  };
}

function word<T extends string>(words: readonly T[]) {
  return (text: string): T => {
    const found = words.find((candidate) => candidate === text);
    if (!found) throw new Error(`"${text}" is not one of ${words.join(', ')}`);
    return found;
  };
}

function optional<T>(read: (text: string) => T) {
  return (text: string): T | null => (text === '' ? null : read(text));
}

function list<T>(read: (text: string) => T) {
  return (text: string): readonly T[] =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(read);
}

function readHost(text: string): string {
  if (text !== 'localhost' && isIP(text) === 0) throw new Error(`"${text}" is neither an IP address nor localhost`);
  return text;
}

function httpUrl(text: string): string {
  return parsedUrl(text, ['http:', 'https:']).href.replace(/\/$/, '');
}

function origin(text: string): string {
  return parsedUrl(text, ['http:', 'https:']).origin;
}

function smtpServer(text: string): SmtpServer {
  const parsed = parseSmtpUrl(text);
  if (!parsed.ok) throw new Error(parsed.fault);
  return parsed.server;
}

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  if (!parsed) throw new Error('it is not one mail address such as Tidemark <alerts@example.com>');
  return parsed;
}

function allowList(text: string): readonly AllowRule[] {
  const parsed = parseAllowList(list((entry) => entry)(text));
  if (!parsed.ok) throw new Error(parsed.faults.join('; '));
  return parsed.rules;
}

function parsedUrl(text: string, protocols: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !protocols.includes(url.protocol)) {
    throw new Error(`it is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
  }
  return url;
}

function secret(text: string): string {
  if (text.length < 32) throw new Error(`it has ${text.length} characters and needs at least 32`);
  return text;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function duration(text: string): number {
  const match = /^([1-9]\d{0,5})([smhd])$/.exec(text);
  if (!match?.[1] || !match[2]) throw new Error(`"${text}" is not a time such as 90s, 15m, 12h or 7d`);
  return Number(match[1]) * (UNIT_MS[match[2]] ?? 0);
}
