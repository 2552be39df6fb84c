import type { InfluxConnection } from './influx-connection.js';
import type { Shelf } from './shelf.js';
import { StoreFault } from '../store-fault.js';

/** bucketName is the bucket of 2.x in which a shelf lies. */
export function bucketName(database: string, shelf: Shelf): string {
  return `${database}/${shelf}`;
}

/** findBucket answers the id of a bucket; null when there is none, or none that the token may see. */
export function findBucket(
  connection: InfluxConnection,
  { org, name }: { readonly org: string; readonly name: string },
  signal?: AbortSignal,
): Promise<string | null> {
  const query = `org=${encodeURIComponent(org)}&name=${encodeURIComponent(name)}`;
  return ofFirstBucket(connection, { query, field: 'id' }, signal);
}

/**
 * findOrg answers the id of an organisation; null when there is none, or when the token may see no bucket of it. Any of
 * its buckets tells, each organisation has some from the start, and so the token need not be able to list organisations.
 */
export function findOrg(connection: InfluxConnection, org: string): Promise<string | null> {
  return ofFirstBucket(connection, { query: `org=${encodeURIComponent(org)}&limit=100`, field: 'orgID' });
}

async function ofFirstBucket(
  connection: InfluxConnection,
  { query, field }: { readonly query: string; readonly field: string },
  signal?: AbortSignal,
): Promise<string | null> {
  const asked = connection.api('GET', `/api/v2/buckets?${query}`, undefined, signal);
  const answer = await asked.then(parse, emptyIfMissing);
  const buckets: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'buckets') : null;
  const first: unknown = Array.isArray(buckets) ? buckets[0] : null;
  const value: unknown = typeof first === 'object' && first !== null ? Reflect.get(first, field) : null;
  return typeof value === 'string' ? value : null;
}

function parse(text: string): unknown {
  return JSON.parse(text);
}

/** Whoever asks for a bucket or an organisation that is not there is answered 404. */
function emptyIfMissing(error: unknown): unknown {
  if (error instanceof StoreFault && /answered 404:/.test(error.message)) return null;
  throw error;
}
