import { ChildProcess } from '../child-process.js';
import type { Figure } from '../figure.js';

/** sdkOverheadFigure is what observing a function adds to a call of it, in a process of its own that really sends. */
export const sdkOverheadFigure: Figure = {
  name: 'sdk',
  title: 'what observe() adds to a call',
  measure: (bench) =>
    bench.withApi(async (api) => {
      const rounds = bench.quick ? 100 : 400;
      bench.say(`sdk: ${rounds} rounds of 500 calls`);
      const child = ChildProcess.fork(new URL('../probes/sdk-probe.js', import.meta.url));
      try {
        const found = await child.ask({ url: api.url, rounds });
        if (!isFound(found)) throw new Error('the probe answered something else');
        return [
          {
            id: 'sdk.sync_us',
            name: 'observe() of a function, median',
            value: found.syncUs,
            unit: 'us',
            target: { atMost: 5 },
            detail: { stats: found.stats },
          },
          {
            id: 'sdk.async_us',
            name: 'observe() of an async function, median',
            value: found.asyncUs,
            unit: 'us',
            target: { atMost: 5 },
          },
          { id: 'sdk.cpu_us', name: '  processor time a call, sending included', value: found.cpuUs, unit: 'us' },
        ];
      } finally {
        await child.stop('SIGTERM');
      }
    }),
};

interface Found {
  readonly syncUs: number;
  readonly asyncUs: number;
  /** cpuUs is all processor time of the host, its own calls included, by observed call. */
  readonly cpuUs: number;
  readonly stats: unknown;
}

function isFound(value: unknown): value is Found {
  return (
    typeof value === 'object' &&
    value !== null &&
    'syncUs' in value &&
    'asyncUs' in value &&
    'cpuUs' in value &&
    'stats' in value
  );
}
