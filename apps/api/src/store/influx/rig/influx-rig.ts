import { afterAll, beforeAll } from 'vitest';
import { influxDbUnderTest, type LocalServer, type ServerOptions } from '@tidemark/servers';
import { NOW } from '../../point-samples.contract.js';
import type { StoreUnderTest } from '../../point-store.contract.js';
import { InfluxStore, type InfluxStoreOptions } from '../influx-store.js';
import { InfluxConnection } from '../influx-connection.js';
import type { InfluxPace } from '../rollup-schedule.js';
import { influxAdmin, type InfluxAdmin } from './influx-admin.js';

const DAY = 24 * 3600_000;

const underTest = influxDbUnderTest();

/** canRunInfluxDb tells whether the tests that need an InfluxDB can run here, and prints why not. */
export const canRunInfluxDb = underTest.canRun;

/** InfluxRig is a real server for the tests of a file, with a new database for each that asks. */
export interface InfluxRig {
  readonly generation: '1' | '2';
  readonly org: string;
  readonly server: () => LocalServer;
  /** start starts another server of the same kind. */
  readonly start: (options?: ServerOptions) => Promise<LocalServer>;
  readonly newDatabase: () => string;
  readonly open: (more: Partial<InfluxStoreOptions> & Pick<InfluxStoreOptions, 'database'>) => Promise<InfluxStore>;
  readonly openEmpty: (pace: InfluxPace) => Promise<StoreUnderTest>;
  /** connect gives a connection to a database, which goes with the tests around it. */
  readonly connect: (database: string) => InfluxConnection;
  readonly admin: (database: string) => InfluxAdmin;
}

/** influxRig starts a server before the tests around it and ends it after them. */
export function influxRig(): InfluxRig {
  let running: LocalServer | null = null;
  let databases = 0;
  const connections: InfluxConnection[] = [];
  const { generation, token, org } = underTest;
  beforeAll(async () => {
    running = await underTest.start();
  }, 60_000);
  afterAll(async () => {
    for (const connection of connections) connection.close();
    await running?.close();
  });
  const server = (): LocalServer => {
    if (!running) throw new Error('the server does not run');
    return running;
  };
  const open: InfluxRig['open'] = (more) =>
    InfluxStore.open({
      url: server().url,
      token,
      org,
      writer: 0,
      // The tests' clock may stand years behind the server's, which forgets by its own.
      retention: { rawMs: 9000 * DAY, minuteMs: 9000 * DAY, hourMs: 9000 * DAY },
      clock: () => NOW,
      onFault: (error) => {
        throw error;
      },
      ...more,
    });
  const connect = (database: string): InfluxConnection => {
    const timeouts = { writeTimeoutMs: 10_000, queryTimeoutMs: 10_000 };
    const connection = new InfluxConnection({ url: server().url, token, org, database, ...timeouts }, generation);
    connections.push(connection);
    return connection;
  };
  return {
    generation,
    org,
    server,
    start: underTest.start,
    // 2.x takes no quotation mark in a bucket's name.
    newDatabase: () => (generation === '1' ? `test ${++databases} "'` : `test ${++databases} '`),
    open,
    connect,
    admin: (database) => influxAdmin(generation, { connection: connect(database), database, org }),
    openEmpty: async (pace) => {
      const database = `test ${++databases}`;
      let store = await open({ database, pace });
      return {
        store,
        reopen: async () => {
          await store.close();
          store = await open({ database, pace });
          return store;
        },
        dispose: () => store.close(),
        isSizeLate: generation === '2',
      };
    },
  };
}
