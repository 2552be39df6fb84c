import { systemClock } from './clock.js';
import type { Clock } from './clock.js';
import type { DropReport, RejectReport } from './reporter.js';

/** TidemarkOptions is what a client is made with; everything but `url` has a default. */
export interface TidemarkOptions {
  /** url is where Tidemark answers, for example `http://127.0.0.1:8000`; `/api/v1` is added. */
  readonly url: string | URL;
  /** apiKey is sent as a bearer token; none is needed where the server asks for none. */
  readonly apiKey?: string | undefined;
  /** flushIntervalMs is how long a point waits for company, 1 to 3,600,000 (1,000). */
  readonly flushIntervalMs?: number;
  /** maxBufferItems bounds the points waiting, of each kind, 1 to 1,000,000 (20,000); the oldest make room. */
  readonly maxBufferItems?: number;
  /** maxBufferBytes bounds their estimated size (16,000,000). */
  readonly maxBufferBytes?: number;
  /** maxBatchItems bounds one request, 1 to 10,000 (1,000). */
  readonly maxBatchItems?: number;
  /** maxBatchBytes bounds one request before compression, 1,000 to 16,000,000 (1,000,000). */
  readonly maxBatchBytes?: number;
  /** gzipMinBytes is the size from which a request is compressed; Infinity for never (4,096). */
  readonly gzipMinBytes?: number;
  /** requestTimeoutMs bounds one request, its answer included (5,000). */
  readonly requestTimeoutMs?: number;
  /** retryBaseMs is the wait after a first failure, doubled at each next one (500). */
  readonly retryBaseMs?: number;
  /** retryMaxMs bounds that wait (30,000). */
  readonly retryMaxMs?: number;
  /** maxRetryAfterMs bounds what a Retry-After header may ask for (3,600,000). */
  readonly maxRetryAfterMs?: number;
  /** breakerFailures is how many failures in a row open the circuit breaker (5). */
  readonly breakerFailures?: number;
  /** breakerOpenMs is how long it stays open at first, doubled at each failed try (30,000). */
  readonly breakerOpenMs?: number;
  /** breakerMaxOpenMs bounds that time (300,000). */
  readonly breakerMaxOpenMs?: number;
  /** holdStatuses are the refusals a person can mend: the points are kept and the breaker opens ([401, 403]). */
  readonly holdStatuses?: readonly number[];
  /** batchTtlMs is how long a batch is tried; servers keep an Idempotency-Key for 24 hours (82,800,000, 23 hours). */
  readonly batchTtlMs?: number;
  /** closeTimeoutMs is how long `flush()` and `close()` try when not told otherwise (5,000). */
  readonly closeTimeoutMs?: number;
  /** exitTimeoutMs is how long a process that has nothing else to do is kept for what is unsent; 0 for not (2,000). */
  readonly exitTimeoutMs?: number;
  /** onDrop hears of points given up or refused here, soon after and added up. */
  readonly onDrop?: ((report: DropReport) => void) | undefined;
  /** onReject hears of points the server refused, with its reasons. */
  readonly onReject?: ((report: RejectReport) => void) | undefined;
  /** warn hears one line when an outage, a refusal or a loss begins; false for silence (`console.warn`). */
  readonly warn?: ((line: string) => void) | false;
  /** fetch sends the requests (the global one, as it is when the client is made). */
  readonly fetch?: typeof globalThis.fetch;
  /** clock is the time and the timers (the machine's). */
  readonly clock?: Clock;
  /** random answers numbers from 0 to 1 for the jitter (`Math.random`). */
  readonly random?: () => number;
}

/** ResolvedOptions is TidemarkOptions checked, with every default filled in. */
export interface ResolvedOptions extends Required<Omit<TidemarkOptions, 'url' | 'apiKey' | 'onDrop' | 'onReject'>> {
  /** baseUrl ends in `/api/v1`. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly onDrop: ((report: DropReport) => void) | undefined;
  readonly onReject: ((report: RejectReport) => void) | undefined;
}

const DAY_MS = 86_400_000;

/** NUMBERS lists each numeric option as lowest, highest, default. */
const NUMBERS = {
  flushIntervalMs: [1, 3_600_000, 1_000],
  maxBufferItems: [1, 1_000_000, 20_000],
  maxBufferBytes: [1_000, 1_000_000_000, 16_000_000],
  maxBatchItems: [1, 10_000, 1_000],
  maxBatchBytes: [1_000, 16_000_000, 1_000_000],
  requestTimeoutMs: [1, 600_000, 5_000],
  retryBaseMs: [1, 3_600_000, 500],
  retryMaxMs: [1, DAY_MS, 30_000],
  maxRetryAfterMs: [0, DAY_MS, 3_600_000],
  breakerFailures: [1, 1_000_000, 5],
  breakerOpenMs: [1, DAY_MS, 30_000],
  breakerMaxOpenMs: [1, DAY_MS, 300_000],
  batchTtlMs: [1, DAY_MS, 82_800_000],
  closeTimeoutMs: [0, DAY_MS, 5_000],
  exitTimeoutMs: [0, 600_000, 2_000],
} as const;

type NumberName = keyof typeof NUMBERS;

/** resolveOptions answers the options with their defaults; throws one TypeError that names every fault. */
export function resolveOptions(options: TidemarkOptions): ResolvedOptions {
  const faults: string[] = [];
  const given: TidemarkOptions = typeof options === 'object' && options !== null ? options : { url: '' };
  const number = (name: NumberName): number => readNumber(name, given[name], faults);
  const resolved = {
    baseUrl: readUrl(given.url, faults),
    apiKey: readApiKey(given.apiKey, faults),
    flushIntervalMs: number('flushIntervalMs'),
    maxBufferItems: number('maxBufferItems'),
    maxBufferBytes: number('maxBufferBytes'),
    maxBatchItems: number('maxBatchItems'),
    maxBatchBytes: number('maxBatchBytes'),
    gzipMinBytes: readGzipMinBytes(given.gzipMinBytes, faults),
    requestTimeoutMs: number('requestTimeoutMs'),
    retryBaseMs: number('retryBaseMs'),
    retryMaxMs: number('retryMaxMs'),
    maxRetryAfterMs: number('maxRetryAfterMs'),
    breakerFailures: number('breakerFailures'),
    breakerOpenMs: number('breakerOpenMs'),
    breakerMaxOpenMs: number('breakerMaxOpenMs'),
    holdStatuses: readStatuses(given.holdStatuses, faults),
    batchTtlMs: number('batchTtlMs'),
    closeTimeoutMs: number('closeTimeoutMs'),
    exitTimeoutMs: number('exitTimeoutMs'),
    onDrop: readFunction('onDrop', given.onDrop, undefined, faults),
    onReject: readFunction('onReject', given.onReject, undefined, faults),
    warn: given.warn === false ? given.warn : readFunction('warn', given.warn, warnOnConsole, faults),
    fetch: readFunction('fetch', given.fetch, globalThis.fetch, faults),
    clock: given.clock ?? systemClock,
    random: readFunction('random', given.random, Math.random, faults),
  };
  if (typeof resolved.fetch !== 'function') faults.push('fetch: there is no global one here, give one');
  if (faults.length > 0) throw new TypeError(`Tidemark cannot start: ${faults.join('; ')}`);
  return resolved;
}

function warnOnConsole(line: string): void {
  console.warn(line);
}

function readUrl(url: unknown, faults: string[]): string {
  const text = url instanceof URL ? url.href : url;
  const parsed = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (parsed === undefined || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    faults.push('url: must be an absolute http or https URL such as http://127.0.0.1:8000');
    return '';
  }
  if (parsed.username !== '' || parsed.password !== '') faults.push('url: must carry no user or password, use apiKey');
  if (parsed.search !== '' || parsed.hash !== '') faults.push('url: must carry no query and no fragment');
  const path = parsed.pathname.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
  return `${parsed.origin}${path}/api/v1`;
}

function readApiKey(apiKey: unknown, faults: string[]): string | undefined {
  if (apiKey === undefined) return undefined;
  if (typeof apiKey === 'string' && /^[\x21-\x7e]+$/.test(apiKey)) return apiKey;
  faults.push('apiKey: must be a non-empty string of visible ASCII characters');
  return undefined;
}

function readNumber(name: NumberName, value: unknown, faults: string[]): number {
  const [lowest, highest, usual] = NUMBERS[name];
  if (value === undefined) return usual;
  if (typeof value === 'number' && Number.isInteger(value) && value >= lowest && value <= highest) return value;
  faults.push(`${name}: must be a whole number from ${String(lowest)} to ${String(highest)}`);
  return usual;
}

function readGzipMinBytes(value: unknown, faults: string[]): number {
  if (value === undefined) return 4_096;
  if (typeof value === 'number' && value >= 0) return value;
  faults.push('gzipMinBytes: must be a number of bytes, 0 or more, or Infinity');
  return 4_096;
}

function readStatuses(value: unknown, faults: string[]): readonly number[] {
  if (value === undefined) return [401, 403];
  const statuses: unknown[] = Array.isArray(value) ? value : [undefined];
  const good = statuses.filter(isClientError);
  if (good.length !== statuses.length) faults.push('holdStatuses: must be a list of statuses from 400 to 499');
  return good;
}

function isClientError(status: unknown): status is number {
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 499;
}

function readFunction<F>(name: string, value: F | undefined, usual: F, faults: string[]): F {
  if (value === undefined) return usual;
  if (typeof value !== 'function') faults.push(`${name}: must be a function`);
  return value;
}
