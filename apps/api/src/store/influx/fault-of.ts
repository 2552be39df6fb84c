import { HttpError } from '@influxdata/influxdb-client';
import { StoreFault, type StoreFaultKind } from '../store-fault.js';

const KINDS: Readonly<Record<number, StoreFaultKind>> = {
  400: 'bad_points',
  401: 'unauthorized',
  403: 'unauthorized',
  413: 'too_large',
  422: 'bad_points',
  429: 'overloaded',
  503: 'overloaded',
};
const MAX_REASON = 300;
const FULL_ENGINE = /timeout|engine: |cache-max-memory|cache maximum memory|hinted handoff/i;

/** toStoreFault turns what the transport threw into the fault that says what to do with the lines. */
export function toStoreFault(error: unknown, isTimeout: boolean): StoreFault {
  if (isTimeout) return new StoreFault('timeout', 'InfluxDB did not answer in time', { cause: error });
  if (!(error instanceof HttpError)) {
    const reason = error instanceof Error ? error.message : String(error);
    return new StoreFault('unreachable', `InfluxDB cannot be reached: ${reason}`, { cause: error });
  }
  const reason = reasonOf(error);
  const retryAfterMs = toMs(error.headers?.['retry-after']);
  return new StoreFault(kindOf(error.statusCode, reason), `InfluxDB answered ${error.statusCode}: ${reason}`, {
    retryAfterMs,
  });
}

/** kindOf looks past the status where 1.x uses 500 for an engine that is full. */
function kindOf(status: number, reason: string): StoreFaultKind {
  if (status >= 500 && FULL_ENGINE.test(reason) && !/partial write/i.test(reason)) return 'overloaded';
  return KINDS[status] ?? 'refused';
}

/** reasonOf leaves out the lines that InfluxDB quotes in full, which may hold what a client sent. 2.x says `message`. */
function reasonOf({ body, json }: HttpError): string {
  const fromJson: unknown = json;
  const said = ['error', 'message'].map((name): unknown =>
    typeof fromJson === 'object' && fromJson !== null ? Reflect.get(fromJson, name) : null,
  );
  const text = [...said, body].find((reason) => typeof reason === 'string') ?? '';
  return text.replace(/unable to parse '[^]*':/, 'unable to parse a line:').slice(0, MAX_REASON);
}

/** toMs reads a Retry-After in seconds or as a date; the library's own reading takes seconds for ms. */
function toMs(header: string | string[] | undefined): number | null {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return null;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}
