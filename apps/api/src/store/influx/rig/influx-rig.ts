import { afterAll, beforeAll } from 'vitest';
import { type LocalServer, startInfluxDb } from '@tidemark/servers';
import { NOW } from '../../point-samples.contract.js';
import type { StoreUnderTest } from '../../point-store.contract.js';
import { InfluxStore, type InfluxStoreOptions } from '../influx-store.js';
import type { InfluxPace } from '../rollup-schedule.js';

const DAY = 24 * 3600_000;

/** InfluxRig is a real server for the tests of a file, with a new database for each that asks. */
export interface InfluxRig {
  readonly server: () => LocalServer;
  readonly newDatabase: () => string;
  readonly open: (more: Partial<InfluxStoreOptions> & Pick<InfluxStoreOptions, 'database'>) => Promise<InfluxStore>;
  readonly openEmpty: (pace: InfluxPace) => Promise<StoreUnderTest>;
}

/** influxRig starts a server before the tests around it and ends it after them. */
export function influxRig(): InfluxRig {
  let running: LocalServer | null = null;
  let databases = 0;
  beforeAll(async () => {
    running = await startInfluxDb();
  }, 60_000);
  afterAll(() => running?.close());
  const server = (): LocalServer => {
    if (!running) throw new Error('the server does not run');
    return running;
  };
  const open: InfluxRig['open'] = (more) =>
    InfluxStore.open({
      url: server().url,
      token: '',
      org: '',
      writer: 0,
      // The tests' clock may stand years behind the server's, which forgets by its own.
      retention: { rawMs: 9000 * DAY, minuteMs: 9000 * DAY, hourMs: 9000 * DAY },
      clock: () => NOW,
      onFault: (error) => {
        throw error;
      },
      ...more,
    });
  return {
    server,
    newDatabase: () => `test ${++databases} "'`,
    open,
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
      };
    },
  };
}
