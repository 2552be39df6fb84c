import { ChildProcess } from '../child-process.js';
import type { Figure } from '../figure.js';
import type { Spread } from '../percentiles.js';
import type { ServerProcess } from '../server-process.js';

const CLIENTS = 1000;
const ITEMS_PER_S = 100;

/** liveFanoutFigure is how long a metric takes to reach each of a thousand who watch, and what that does to the server. */
export const liveFanoutFigure: Figure = {
  name: 'live',
  title: `live feed: ${ITEMS_PER_S} items/s to ${CLIENTS.toLocaleString('en-US')} clients`,
  measure: (bench) =>
    bench.withApi(async (api) => {
      const child = ChildProcess.fork(new URL('../probes/live-probe.js', import.meta.url));
      try {
        bench.say(`live: connecting ${CLIENTS} clients`);
        const task = { port: api.port, clients: CLIENTS, itemsPerS: ITEMS_PER_S };
        await child.ask({ ...task, seconds: 2 });
        // The lag is reset when it is read: this leaves out what connecting did.
        await lagOf(api);
        const seconds = bench.quick ? 5 : 15;
        bench.say(`live: ${seconds} s of ${ITEMS_PER_S} items/s`);
        const found = await child.ask({ ...task, seconds });
        if (!isFound(found)) throw new Error('the probe answered something else');
        const lag = await lagOf(api);
        const { spread } = found;
        return [
          { id: 'live.p50_ms', name: 'metric to 1,000 live clients, p50', value: spread.p50, unit: 'ms' },
          {
            id: 'live.p99_ms',
            name: '  p99',
            value: spread.p99,
            unit: 'ms',
            target: { atMost: 1000 },
            detail: { ...spread, frames: found.frames, dropped: found.dropped, receiverLagP99Ms: found.lagP99Ms },
          },
          {
            id: 'live.delivered',
            name: '  items that arrived, of all',
            value: found.delivered,
            unit: '',
            target: { atLeast: 1 },
          },
          {
            id: 'live.loop_lag_p99_ms',
            name: '  event-loop lag, p99',
            value: lag.p99Ms,
            unit: 'ms',
            target: { atMost: 50 },
          },
          { id: 'live.loop_lag_max_ms', name: '  event-loop lag, longest', value: lag.maxMs, unit: 'ms' },
          {
            id: 'live.rss_mb',
            name: '  memory of the server with 1,000 clients',
            value: api.usage().rssMb,
            unit: 'MB',
          },
        ];
      } finally {
        await child.stop('SIGTERM');
      }
    }),
};

async function lagOf(api: ServerProcess): Promise<{ readonly p99Ms: number; readonly maxMs: number }> {
  const text = await (await fetch(`${api.url}/metrics`)).text();
  const read = (name: string): number => 1000 * Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
  // The loop is looked at by a timer, whose own interval is in every sample: the shortest is what no lag looks like.
  const noneMs = read('nodejs_eventloop_lag_min_seconds');
  return {
    p99Ms: read('nodejs_eventloop_lag_p99_seconds') - noneMs,
    maxMs: read('nodejs_eventloop_lag_max_seconds') - noneMs,
  };
}

interface Found {
  readonly spread: Spread;
  readonly delivered: number;
  readonly frames: number;
  readonly dropped: number;
  readonly lagP99Ms: number;
}

function isFound(value: unknown): value is Found {
  return (
    typeof value === 'object' && value !== null && 'spread' in value && 'delivered' in value && 'lagP99Ms' in value
  );
}
