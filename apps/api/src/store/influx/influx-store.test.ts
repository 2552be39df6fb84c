import { describe } from 'vitest';
import { describePort } from '../point-store.contract.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';
import { DEFAULT_INFLUX_PACE } from './rollup-schedule.js';

describe.skipIf(!canRunInfluxDb())('InfluxStore', { timeout: 60_000 }, () => {
  const rig = influxRig();

  describePort(() => rig.openEmpty(DEFAULT_INFLUX_PACE));
});

/** Flushed after every write and compacted often, so that reads meet all states in which points can be. */
describe.skipIf(!canRunInfluxDb())('InfluxStore that flushes after every write', { timeout: 60_000 }, () => {
  const rig = influxRig();

  describePort(() => rig.openEmpty({ flushPoints: 1, flushRequests: 1, flushMs: 0, compactFlushes: 3 }));
});
