import type { Retention } from '../store-messages.js';
import { bucketName, findBucket, findOrg } from './buckets.js';
import type { Generation } from './generation.js';
import type { InfluxConnection } from './influx-connection.js';
import { quoteName, quoteText } from './influx-ql.js';
import type { Shelf } from './shelf.js';
import { StoreFault } from '../store-fault.js';

const DAY_S = 86_400;
const MIN_LIFE_S = 3600;

/** ShelfPlan is how long a shelf keeps what, in s; 0 is for ever. */
interface ShelfPlan {
  readonly shelf: Shelf;
  readonly lifeS: number;
  /** How much time one file of the server spans: it forgets whole files. */
  readonly shardS: number;
}

/** prepareShelves creates what is missing, and sets how long each shelf keeps its data. Rejects with a StoreFault. */
export async function prepareShelves(
  connection: InfluxConnection,
  generation: Generation,
  { database, org, retention }: { readonly database: string; readonly org: string; readonly retention: Retention },
): Promise<void> {
  const plans = planShelves(retention);
  if (generation !== '1' && database.includes('/')) {
    throw new StoreFault(
      'refused',
      `a bucket that is called ${quoteText(database)} could not be queried: it has a slash`,
    );
  }
  if (generation === '1') {
    const name = quoteName(database);
    const statements = plans.flatMap(({ shelf, lifeS, shardS }) => {
      const terms = `DURATION ${lifeS === 0 ? 'INF' : `${lifeS}s`} REPLICATION 1 SHARD DURATION ${shardS}s`;
      return [
        `CREATE RETENTION POLICY ${quoteName(shelf)} ON ${name} ${terms}`,
        `ALTER RETENTION POLICY ${quoteName(shelf)} ON ${name} ${terms}`,
      ];
    });
    await connection.define(`CREATE DATABASE ${name}`);
    // Creating one that exists under other terms fails; altering it then succeeds.
    for (const statement of statements) await connection.define(statement).catch(ignoreExisting);
  } else if (generation === '2') {
    await prepareBuckets(connection, plans, { database, org });
  } else {
    for (const { shelf, lifeS } of plans) {
      const terms = lifeS === 0 ? {} : { retention_period: `${lifeS}s` };
      await connection
        .api('POST', '/api/v3/configure/database', { db: `${database}/${shelf}`, ...terms })
        .catch(ignoreExisting);
    }
  }
}

/** planShelves gives every shelf an hour more than is asked for: points at the very edge must still be taken. */
export function planShelves({ rawMs, minuteMs, hourMs }: Retention): readonly ShelfPlan[] {
  const plan = (shelf: Shelf, lifeMs: number, shardS: number): ShelfPlan => ({
    shelf,
    lifeS: Number.isFinite(lifeMs) ? Math.max(MIN_LIFE_S, Math.ceil(lifeMs / 1000) + 3600) : 0,
    shardS,
  });
  return [
    plan('raw', rawMs, DAY_S),
    plan('minute', minuteMs, 7 * DAY_S),
    plan('hour', hourMs, 30 * DAY_S),
    plan('meta', Infinity, 365 * DAY_S),
  ];
}

/** prepareBuckets relies on 2.x to map a bucket called `db/rp` to that database and retention policy by itself. */
async function prepareBuckets(
  connection: InfluxConnection,
  plans: readonly ShelfPlan[],
  { database, org }: { readonly database: string; readonly org: string },
): Promise<void> {
  for (const { shelf, lifeS, shardS } of plans) {
    const name = bucketName(database, shelf);
    const rule = { type: 'expire', everySeconds: lifeS, shardGroupDurationSeconds: shardS };
    const bucket = await findBucket(connection, { org, name });
    if (bucket !== null) await connection.api('PATCH', `/api/v2/buckets/${bucket}`, { retentionRules: [rule] });
    else await createBucket(connection, org, { name, retentionRules: [rule] });
  }
}

/** createBucket lets another process be first: those that start together all find none, and have the same terms. */
async function createBucket(connection: InfluxConnection, org: string, terms: object): Promise<void> {
  const orgID = await findOrg(connection, org);
  if (orgID === null) {
    const reason = `InfluxDB has no organisation ${quoteText(org)}, or the token may read none of its buckets`;
    throw new StoreFault('refused', reason);
  }
  await connection.api('POST', '/api/v2/buckets', { orgID, ...terms }).catch(ignoreExisting);
}

function ignoreExisting(error: unknown): void {
  if (error instanceof StoreFault && /already exists|409/.test(error.message)) return;
  throw error;
}
