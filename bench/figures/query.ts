import type { Bench } from '../bench.js';
import type { Figure, Reading, Target } from '../figure.js';
import { Load, refusedIn } from '../load.js';
import { MODELS } from '../load/metric-text.js';
import { getJson, registerModels } from '../models.js';
import { spreadOf } from '../percentiles.js';
import type { ServerProcess } from '../server-process.js';
import { quantity } from '../table.js';

/** Question is one kind of query: `path` for a model, and what a right answer holds at least. */
interface Question {
  readonly key: string;
  readonly name: string;
  readonly path: (model: string) => string;
  readonly sizeOf: (answer: unknown) => number;
  readonly atLeast: number;
  readonly target?: Target;
}

const INGEST_POINTS_PER_S = 5000;
const FILL_BATCH = 1000;
/** A kind of query that is slow is asked fewer times, so that the bench ends. */
const MAX_MS = 45_000;
const AGGREGATE = 'since_hours=24&window=5m&stat=p99';

const QUESTIONS: readonly Question[] = [
  {
    key: 'recent',
    name: 'newest 1000 of a model',
    path: (model) => `/api/v1/metrics/inference?model_id=${model}&limit=1000`,
    sizeOf: (answer) => listIn(answer, 'metrics').length,
    atLeast: 1000,
    target: { atMost: 10 },
  },
  {
    key: 'aggregate',
    name: '24 h of p99 in windows of 5 min, 6 metrics',
    path: (model) => `/api/v1/metrics/aggregated?model_id=${model}&${AGGREGATE}`,
    sizeOf: (answer) => windowsIn(answer, 'latency'),
    atLeast: 280,
    target: { atMost: 50 },
  },
  {
    key: 'aggregate_all_models',
    name: 'the same of latency, all models together',
    path: () => `/api/v1/metrics/aggregated?metric=latency&${AGGREGATE}`,
    sizeOf: (answer) => windowsIn(answer, 'latency'),
    atLeast: 280,
  },
  {
    key: 'summary',
    name: '24 h summary of a model',
    path: (model) => `/api/v1/summary?model_id=${model}&since_hours=24`,
    sizeOf: (answer) => Number(fieldIn(answer, 'total_requests')),
    atLeast: 1,
  },
];

/** queryFigure is how long questions take with much stored, alone and while more is coming in. */
export const queryFigure: Figure = {
  name: 'query',
  title: 'queries with 10 million points stored',
  measure: (bench) =>
    bench.withApi(async (api) => {
      await registerModels(api);
      const readings: Reading[] = [await fill(bench, api)];
      for (const question of QUESTIONS) await check(api, question);
      for (const question of QUESTIONS) readings.push(...(await ask(bench, api, question, 'alone')));
      const ingest = Load.start();
      try {
        for (const question of QUESTIONS) readings.push(...(await askDuring(bench, api, question, ingest)));
      } finally {
        await ingest.stop();
      }
      return readings;
    }),
};

/** The points come in the order of their time, over the last day, as they would have. */
async function fill(bench: Bench, api: ServerProcess): Promise<Reading> {
  const total = bench.quick ? 500_000 : 10_000_000;
  const part = total / 10;
  const untilMs = Date.now();
  const fromMs = untilMs - 24 * 3_600_000;
  const partMs = (untilMs - fromMs) / 10;
  let elapsedMs = 0;
  for (let i = 0; i < 10; i++) {
    const result = await bench.load.run({
      kind: 'fill',
      port: api.port,
      points: FILL_BATCH,
      connections: 8,
      total: part,
      fromMs: fromMs + i * partMs,
      untilMs: fromMs + (i + 1) * partMs,
    });
    elapsedMs += result.elapsedMs;
    const rate = quantity((part / result.elapsedMs) * 1000, 'points/s');
    bench.say(`query: ${((i + 1) * part).toLocaleString('en-US')} points stored (${rate})`);
  }
  return {
    id: 'query.fill_points_per_s',
    name: `storing ${total.toLocaleString('en-US')} points of 24 h`,
    value: (total / elapsedMs) * 1000,
    unit: 'points/s',
  };
}

async function check(api: ServerProcess, { path, sizeOf, atLeast, name }: Question): Promise<void> {
  for (const model of MODELS) {
    const size = sizeOf(await getJson(`${api.url}${path(model)}`));
    if (!(size >= atLeast)) throw new Error(`${name}: ${size} instead of at least ${atLeast} for ${model}`);
  }
}

async function askDuring(bench: Bench, api: ServerProcess, question: Question, load: Load): Promise<Reading[]> {
  const isDone = new AbortController();
  const durationMs = 500;
  const ingest = async (): Promise<void> => {
    while (!isDone.signal.aborted) {
      await load.run({
        kind: 'open',
        port: api.port,
        points: 100,
        connections: 16,
        pointsPerS: INGEST_POINTS_PER_S,
        warmupMs: 0,
        durationMs,
      });
    }
  };
  const ingesting = ingest();
  try {
    return await ask(bench, api, question, 'during ingest');
  } finally {
    isDone.abort();
    await ingesting;
  }
}

async function ask(
  bench: Bench,
  api: ServerProcess,
  { key, name, path, target }: Question,
  when: 'alone' | 'during ingest',
): Promise<Reading[]> {
  const before = api.usage();
  const result = await bench.load.run({
    kind: 'gets',
    port: api.port,
    paths: MODELS.map(path),
    count: bench.quick ? 100 : 400,
    maxMs: MAX_MS,
  });
  if (refusedIn(result) > 0) throw new Error(`${name}: answers other than 200: ${JSON.stringify(result.refused)}`);
  const serverCpuMs = (api.usage().cpuMs - before.cpuMs) / result.accepted;
  const spread = spreadOf(result.latenciesMs);
  bench.say(`query: ${name}, ${when}: p50 ${quantity(spread.p50, 'ms')}, p99 ${quantity(spread.p99, 'ms')}`);
  const suffix = when === 'alone' ? '' : ', at 5,000 points/s';
  const id = when === 'alone' ? `query.${key}` : `query.during_ingest.${key}`;
  return [
    { id: `${id}.p50_ms`, name: `${name}${suffix}, p50`, value: spread.p50, unit: 'ms' },
    {
      id: `${id}.p99_ms`,
      name: '  p99',
      value: spread.p99,
      unit: 'ms',
      ...(target && when === 'alone' ? { target } : {}),
      detail: { ...spread, serverCpuMs, bytesAnAnswer: result.bodyBytes / spread.count },
    },
  ];
}

function windowsIn(answer: unknown, metric: string): number {
  const windows = listIn(fieldIn(answer, 'aggregated_metrics'), metric);
  return windows.filter((window) => fieldIn(window, 'value') !== null).length;
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const list = fieldIn(value, name);
  return Array.isArray(list) ? list : [];
}

function fieldIn(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
