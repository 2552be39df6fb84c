import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeAll, type Closer, systemClock } from '@tidemark/program';
import { influxDbUnderTest } from '@tidemark/servers';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../config.js';
import { Telemetry } from '../platform/telemetry.js';
import { waitFor } from '../rig/wait-for.js';
import { openFaultProxy } from '../store/influx/rig/fault-proxy.js';
import { canRunInfluxDb, influxRig } from '../store/influx/rig/influx-rig.js';
import { aBatch, aPoint, aSeries } from '../store/point-samples.contract.js';
import { openPoints } from './open-points.js';
import { openState } from './open-state.js';
import type { Opening } from './surroundings.js';

const { token, org, generation } = influxDbUnderTest();

interface Logged {
  readonly level: number;
  readonly msg: string;
}

async function openingWith(influxUrl: string): Promise<{ opening: Opening; logged: Logged[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-points-'));
  const place = { INFLUXDB_URL: influxUrl, INFLUXDB_ORG: org, INFLUXDB_BUCKET: 'rollups' };
  const credentials = generation === '1' ? {} : { INFLUXDB_TOKEN: token };
  const outcome = readConfig({ TIDEMARK_DATA_DIR: folder, ...place, ...credentials });
  if (!outcome.ok) throw new Error(outcome.faults.join('\n'));
  const logged: Logged[] = [];
  const closers: Closer[] = [];
  onTestFinished(async () => {
    await closeAll(closers);
    await rm(folder, { recursive: true });
  });
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const fatal = (error: Error): never => {
    throw error;
  };
  const around = { config: outcome.config, version: '0', log, clock: systemClock, fatal, telemetry: new Telemetry() };
  return { opening: { ...around, closeLast: (closer) => void closers.push(closer) }, logged };
}

describe.skipIf(!canRunInfluxDb())('points in InfluxDB', () => {
  const rig = influxRig();

  it('have rollups of which the log says once that they fall behind, and once that they do no longer', async () => {
    const proxy = await openFaultProxy(rig.server().url);
    onTestFinished(() => proxy.close());
    let refused = 0;
    proxy.judge = ({ path }) => {
      if (!/write\?.*(rp=minute|%2Fminute)/.test(path)) return 'pass';
      refused++;
      return 'refuse';
    };
    const { opening, logged } = await openingWith(proxy.url);
    const { store } = await openPoints(opening, await openState(opening));
    const now = Date.now();
    // So many that it is time to count them, again and again.
    for (let batch = 0; batch < 10; batch++) {
      const first = 1 + batch * 10_000;
      await store.write(aBatch(Array.from({ length: 10_000 }, (_, i) => aPoint(aSeries(), first + i, now - batch))));
    }
    await waitFor('some attempts', () => refused > 3, 30_000);
    const told = (): string[] => logged.flatMap(({ level, msg }) => (/rollups/.test(msg) ? [`${level} ${msg}`] : []));
    const began = '40 rollups could not be brought up to date; reads are slower';
    expect(told()).toEqual([began]);
    proxy.judge = () => 'pass';
    await waitFor('the end', () => told().length > 1, 30_000);
    expect(told()).toEqual([began, '30 rollups are brought up to date again']);
  });
});
