import type { Figure } from '../figure.js';
import { refusedIn } from '../load.js';
import { registerModels } from '../models.js';
import { spreadOf } from '../percentiles.js';

const POINTS_PER_S = 20_000;
const BATCH = 100;

/** ackLatencyFigure is how long a client waits for "it is on disk" while points come at a fixed rate. */
export const ackLatencyFigure: Figure = {
  name: 'ack',
  title: `time to the durable answer at ${POINTS_PER_S.toLocaleString('en-US')} points/s`,
  measure: (bench) =>
    bench.withApi(async (api) => {
      await registerModels(api);
      const seconds = bench.quick ? 5 : 20;
      bench.say(`ack: ${seconds} s of batches of ${BATCH}`);
      const result = await bench.load.run({
        kind: 'open',
        port: api.port,
        points: BATCH,
        connections: 64,
        pointsPerS: POINTS_PER_S,
        warmupMs: 3000,
        durationMs: seconds * 1000,
      });
      if (refusedIn(result) > 0) throw new Error(`answers other than 2xx: ${JSON.stringify(result.refused)}`);
      const spread = spreadOf(result.latenciesMs);
      return [
        { id: 'ack.p50_ms', name: 'ack at 20,000 points/s, p50', value: spread.p50, unit: 'ms' },
        {
          id: 'ack.p99_ms',
          name: '  p99',
          value: spread.p99,
          unit: 'ms',
          target: { atMost: 25 },
          detail: { ...spread, pointsPerS: (result.points / result.elapsedMs) * 1000 },
        },
        {
          id: 'ack.rss_mb',
          name: '  memory at the end',
          value: api.usage().rssMb,
          unit: 'MB',
          target: { atMost: 400 },
        },
      ];
    }),
};
