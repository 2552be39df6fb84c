import { expect } from 'vitest';
import type { InfluxConnection } from '../influx-connection.js';
import type { Generation } from '../generation.js';
import { quoteName } from '../influx-ql.js';
import type { Shelf } from '../shelf.js';

/** InfluxAdmin does to a database what no store does: it takes data away, and looks at how long some is kept. */
export interface InfluxAdmin {
  /** forget leaves nothing of a measurement in `raw`. */
  readonly forget: (measurement: string) => Promise<void>;
  /** empty takes all that a shelf holds, which is then kept for ever. */
  readonly empty: (shelf: Shelf) => Promise<void>;
  /** lifetimes are how long each shelf keeps its data, in s; 0 is for ever. */
  readonly lifetimes: () => Promise<Readonly<Record<string, number>>>;
}

/** Database names a database and how to reach it. */
export interface Database {
  readonly connection: InfluxConnection;
  readonly database: string;
  readonly org: string;
}

/** influxAdmin speaks InfluxQL to 1.x, and to 2.x, whose InfluxQL defines nothing, its own routes. */
export function influxAdmin(generation: Generation, database: Database): InfluxAdmin {
  return generation === '1' ? adminOf1(database) : adminOf2(database);
}

function adminOf1({ connection, database }: Database): InfluxAdmin {
  return {
    forget: async (measurement) => {
      await connection.query('raw', `DROP MEASUREMENT ${quoteName(measurement)}`);
    },
    empty: async (shelf) => {
      const policy = `RETENTION POLICY "${shelf}" ON ${quoteName(database)}`;
      await connection.define(`DROP ${policy}`);
      await connection.define(`CREATE ${policy} DURATION INF REPLICATION 1`);
    },
    lifetimes: async () => {
      // Its answer has no name, so the store's own reader does not take it for a table.
      const q = encodeURIComponent(`SHOW RETENTION POLICIES ON ${quoteName(database)}`);
      const answer = await connection.api('GET', `/query?q=${q}`);
      const policies = [...answer.matchAll(/\["(raw|minute|hour|meta)","(\d+)[hs]/g)];
      return Object.fromEntries(policies.map(([, shelf, hours]) => [shelf, Number(hours) * 3600]));
    },
  };
}

interface Bucket {
  readonly id: string;
  readonly orgID: string;
  readonly name: string;
  readonly retentionRules: readonly { readonly everySeconds: number }[];
}

function adminOf2({ connection, database, org }: Database): InfluxAdmin {
  const buckets = async (): Promise<readonly Bucket[]> => {
    const answer = await connection.api('GET', `/api/v2/buckets?limit=100&org=${encodeURIComponent(org)}`);
    const { buckets: all } = JSON.parse(answer) as { buckets: readonly Bucket[] };
    return all.filter(({ name }) => name.startsWith(`${database}/`));
  };
  return {
    forget: async (measurement) => {
      const names = `org=${encodeURIComponent(org)}&bucket=${encodeURIComponent(`${database}/raw`)}`;
      await connection.api('POST', `/api/v2/delete?${names}`, {
        start: '1970-01-01T00:00:00Z',
        stop: '2200-01-01T00:00:00Z',
        predicate: `_measurement="${measurement}"`,
      });
    },
    empty: async (shelf) => {
      const bucket = (await buckets()).find(({ name }) => name === `${database}/${shelf}`);
      expect(bucket).toBeDefined();
      const { id = '', orgID, name } = bucket ?? {};
      await connection.api('DELETE', `/api/v2/buckets/${id}`);
      await connection.api('POST', '/api/v2/buckets', { orgID, name, retentionRules: [] });
    },
    lifetimes: async () =>
      Object.fromEntries(
        (await buckets()).map(({ name, retentionRules: [rule] }) => [
          name.slice(database.length + 1),
          rule?.everySeconds ?? 0,
        ]),
      ),
  };
}
