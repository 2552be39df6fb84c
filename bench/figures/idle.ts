import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import type { Figure, Reading } from '../figure.js';
import { getJson, registerModels } from '../models.js';
import { medianOf } from '../percentiles.js';
import type { ServerProcess } from '../server-process.js';
import { canReadUsage } from '../usage.js';

/** V8 collects garbage once more some 8 s after the last request (a quarter of a second of processor time), then it rests. */
const REST_MS = 20_000;

/** idleFigure is what the platform costs when nothing happens, and how long it takes to be there. */
export const idleFigure: Figure = {
  name: 'idle',
  title: 'start time, and memory and processor when idle',
  measure: async (bench) => [...(await firstStart(bench)), ...(await rest(bench)), ...(await laterStart(bench))],
};

async function firstStart(bench: Bench): Promise<Reading[]> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) await bench.withApi(async (api) => void times.push(api.startMs));
  return [
    { id: 'start.first_ms', name: 'first start to ready', value: medianOf(times), unit: 'ms', detail: { times } },
  ];
}

async function rest(bench: Bench): Promise<Reading[]> {
  if (!canReadUsage) return [];
  return bench.withApi(async (api) => {
    await warmUp(api);
    await sleep(REST_MS);
    const seconds = bench.quick ? 10 : 20;
    bench.say(`idle: watching for ${seconds} s`);
    const before = api.usage();
    const beginMs = performance.now();
    await sleep(seconds * 1000);
    const after = api.usage();
    const cpu = (100 * (after.cpuMs - before.cpuMs)) / (performance.now() - beginMs);
    return [
      { id: 'idle.rss_mb', name: 'idle memory', value: after.rssMb, unit: 'MB', target: { atMost: 150 } },
      { id: 'idle.cpu_percent', name: 'idle processor', value: cpu, unit: '% of one', target: { atMost: 1 } },
    ];
  });
}

async function laterStart(bench: Bench): Promise<Reading[]> {
  const dataDir = bench.newDataDir();
  const total = bench.quick ? 200_000 : 1_000_000;
  const stored = `${total.toLocaleString('en-US')} points stored`;
  await bench.withApi(
    async (api) => {
      await registerModels(api);
      bench.say(`idle: storing ${total.toLocaleString('en-US')} points to start with`);
      const untilMs = Date.now();
      await bench.load.run({
        kind: 'fill',
        port: api.port,
        points: 1000,
        connections: 8,
        total,
        fromMs: untilMs - 24 * 3_600_000,
        untilMs,
      });
    },
    { dataDir },
  );
  const times: number[] = [];
  for (let i = 0; i < 5; i++) await bench.withApi(async (api) => void times.push(api.startMs), { dataDir });
  return [
    {
      id: 'start.later_ms',
      name: `start with ${stored}`,
      value: medianOf(times),
      unit: 'ms',
      target: { atMost: 3000 },
      detail: { times },
    },
  ];
}

async function warmUp(api: ServerProcess): Promise<void> {
  await registerModels(api);
  for (const path of ['health', 'models', 'alerts', 'summary', 'metrics/inference'])
    await getJson(`${api.url}/api/v1/${path}`);
}
