import { existsSync } from 'node:fs';
import { startInfluxDb } from './influxdb.js';
import { INFLUXDB2_ORG, INFLUXDB2_TOKEN, startInfluxDb2 } from './influxdb2.js';
import type { LocalServer, ServerOptions } from './local-server.js';
import { canRun } from './programs.js';

/** InfluxDbUnderTest is which InfluxDB the tests of the point store run on, and what its clients have to say. */
export interface InfluxDbUnderTest {
  readonly generation: '1' | '2';
  /** Empty where none is asked for. */
  readonly token: string;
  readonly org: string;
  /** canRun tells whether it can run here, and prints why not. */
  readonly canRun: () => boolean;
  readonly start: (options?: ServerOptions) => Promise<LocalServer>;
}

/**
 * influxDbUnderTest is Debian's InfluxDB 1.x, or the 2.x whose program TIDEMARK_TEST_INFLUXD2 names. No Debian package
 * brings a 2.x; a program and not a URL, because the tests kill and pause it. Throws when that program is not there.
 */
export function influxDbUnderTest(): InfluxDbUnderTest {
  const program = process.env['TIDEMARK_TEST_INFLUXD2'] ?? '';
  if (program === '') {
    return { generation: '1', token: '', org: '', canRun: () => canRun('influxd'), start: startInfluxDb };
  }
  if (!existsSync(program)) throw new Error(`TIDEMARK_TEST_INFLUXD2: there is no ${program}`);
  const start = (options?: ServerOptions): Promise<LocalServer> => startInfluxDb2(program, options);
  return { generation: '2', token: INFLUXDB2_TOKEN, org: INFLUXDB2_ORG, canRun: () => true, start };
}
