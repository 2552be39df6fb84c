import type { Figure } from '../figure.js';
import { refusedIn } from '../load.js';
import { registerModels } from '../models.js';
import { canReadUsage } from '../usage.js';

const SAMPLE_MS = 250;

/** memoryFigure is what the server holds on to while it is given all it can take. */
export const memoryFigure: Figure = {
  name: 'memory',
  title: 'memory under sustained ingest at full speed',
  measure: (bench) =>
    bench.withApi(async (api) => {
      if (!canReadUsage) throw new Error('this system does not show the memory of its processes');
      await registerModels(api);
      const seconds = bench.quick ? 8 : 60;
      bench.say(`memory: ${seconds} s of batches of 1000`);
      let peakMb = 0;
      const samples = setInterval(() => (peakMb = Math.max(peakMb, api.usage().rssMb)), SAMPLE_MS);
      try {
        const result = await bench.load.run({
          kind: 'closed',
          port: api.port,
          points: 1000,
          connections: 16,
          warmupMs: 0,
          durationMs: seconds * 1000,
        });
        return [
          {
            id: 'memory.end_mb',
            name: `memory after ${seconds} s of full ingest`,
            value: api.usage().rssMb,
            unit: 'MB',
            target: { atMost: 400 },
            detail: { pointsPerS: (result.points / result.elapsedMs) * 1000, refused: refusedIn(result) },
          },
          { id: 'memory.peak_mb', name: '  peak', value: peakMb, unit: 'MB' },
        ];
      } finally {
        clearInterval(samples);
      }
    }),
};
