import { type Headers, HttpError, InfluxDB, type SendOptions } from '@influxdata/influxdb-client';
import { Ending } from './ending.js';
import { toStoreFault } from './fault-of.js';
import { StoreFault } from '../store-fault.js';

/** Generation is which InfluxDB it is: they differ in how to write and in where data of one lifetime is kept. */
export type Generation = '1' | '2' | '3';

/**
 * probeGeneration asks a server what it is. 1.x and 2.x say so on `/ping` without a token; 3 may want one, and has its
 * version in a header of its own too. Rejects with a StoreFault, also when the signal says that nobody wants to know.
 */
export async function probeGeneration(
  url: string,
  token: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Generation> {
  const authorization = authorizationOf(token);
  const ending = Ending.begin(timeoutMs, [signal]);
  // Without an agent the socket ends with the answer.
  const { transport } = new InfluxDB({ url, timeout: 0, transportOptions: { agent: false } });
  const options: SendOptions = { method: 'GET', signal: ending.signal };
  if (authorization !== null) options.headers = { authorization };
  let headers: Headers = {};
  try {
    await transport.request('/ping', '', options, (found) => (headers = found));
  } catch (error) {
    const generation = error instanceof HttpError ? generationOf(error.headers ?? {}) : null;
    if (generation === null) throw toStoreFault(error, ending.wasLate);
    return generation;
  } finally {
    ending.stop();
  }
  const generation = generationOf(headers);
  if (generation) return generation;
  throw new StoreFault('refused', 'the server does not say that it is InfluxDB');
}

/** generationOf reads the headers of an answer to `/ping`; null when they are not InfluxDB's. */
export function generationOf(headers: Headers): Generation | null {
  // "1.6.7~rc0", "v2.7.1", "3.0.1"; builds from source have a word before or instead of it.
  const version = String(headers['x-influxdb-version'] ?? '');
  const [, major] = /(?:^|[^\d.])v?([123])\.\d/.exec(` ${version}`) ?? [];
  if (major === '1' || major === '2' || major === '3') return major;
  if ('cluster-uuid' in headers) return '3';
  // 2.x is the only one that calls its open-source build "OSS" and may come without a version.
  return headers['x-influxdb-build'] === 'OSS' ? '2' : null;
}

/** authorizationOf is the header for a token, which 2.x and 3 take, or for `user:password` of 1.x; null without either. */
export function authorizationOf(token: string): string | null {
  if (token === '') return null;
  return token.includes(':') ? `Basic ${Buffer.from(token).toString('base64')}` : `Token ${token}`;
}
