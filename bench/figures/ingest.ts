import type { Bench } from '../bench.js';
import type { Figure, Reading, Target } from '../figure.js';
import { refusedIn } from '../load.js';
import { registerModels } from '../models.js';
import { medianOf, spreadOf } from '../percentiles.js';
import { ServerProcess } from '../server-process.js';
import { quantity } from '../table.js';

/** Mode is one way to send metrics, with what it has to reach: points a second, and the share of the bare framework's. */
interface Mode {
  readonly key: string;
  readonly name: string;
  readonly points: number;
  readonly connections: number;
  readonly rate?: Target;
  readonly share?: Target;
}

const MODES: readonly Mode[] = [
  { key: 'single', name: 'single requests', points: 1, connections: 64, share: { atLeast: 0.55 } },
  { key: 'batch_100', name: 'batches of 100', points: 100, connections: 64 },
  {
    key: 'batch_1000',
    name: 'batches of 1000',
    points: 1000,
    connections: 16,
    rate: { atLeast: 150_000 },
    share: { atLeast: 0.3 },
  },
];

const WARM_UP_MS = 1000;

/** ingestFigure compares durable ingest with the bare framework, in turns, so that both see the same machine. */
export const ingestFigure: Figure = {
  name: 'ingest',
  title: 'durable ingest over HTTP beside the bare framework',
  measure: async (bench) => {
    const bare = await ServerProcess.startBare();
    try {
      return await bench.withApi(async (api) => {
        await registerModels(api);
        const readings: Reading[] = [];
        for (const mode of MODES) readings.push(...(await compare(bench, mode, api, bare)));
        return readings;
      });
    } finally {
      await bare.stop();
    }
  },
};

interface Round {
  readonly rate: number;
  readonly p99Ms: number;
  readonly refused: number;
  /** serverCpuUs is the processor time of the server, all its threads, for one point: it holds on a busy machine too. */
  readonly serverCpuUs: number;
  /** serverCores and loadCores are how much of the machine each took, in processors. */
  readonly serverCores: number;
  readonly loadCores: number;
  readonly rssMb: number;
}

async function compare(bench: Bench, mode: Mode, api: ServerProcess, bare: ServerProcess): Promise<Reading[]> {
  const ours: Round[] = [];
  const theirs: Round[] = [];
  const rounds = bench.quick ? 3 : 7;
  for (let i = 0; i < rounds; i++) {
    // What the API does in the background must not slow the other down: it rests meanwhile.
    ours.push(await measure(bench, mode, api));
    api.pause();
    theirs.push(await measure(bench, mode, bare));
    api.resume();
    bench.say(
      `ingest, ${mode.name}, round ${i + 1} of ${rounds}: ` +
        `${quantity(ours[i]?.rate ?? NaN, 'points/s')}, bare ${quantity(theirs[i]?.rate ?? NaN, 'points/s')}`,
    );
  }
  const rate = medianOf(ours.map((round) => round.rate));
  const bareRate = medianOf(theirs.map((round) => round.rate));
  const share = medianOf(ours.map((round, i) => round.rate / (theirs[i]?.rate ?? NaN)));
  const id = `ingest.${mode.key}`;
  return [
    {
      id: `${id}.points_per_s`,
      name: `ingest, ${mode.name}, durable`,
      value: rate,
      unit: 'points/s',
      ...(mode.rate ? { target: mode.rate } : {}),
      detail: { connections: mode.connections, rounds: ours },
    },
    {
      id: `${id}.cpu_us_a_point`,
      name: '  processor time of the server a point',
      value: medianOf(ours.map((round) => round.serverCpuUs)),
      unit: 'us',
    },
    {
      id: `${id}.bare_points_per_s`,
      name: `  bare Nest + Fastify, parse and answer`,
      value: bareRate,
      unit: 'points/s',
      detail: { rounds: theirs },
    },
    {
      id: `${id}.share_of_bare`,
      name: `  share of the bare framework`,
      value: share,
      unit: '',
      ...(mode.share ? { target: mode.share } : {}),
    },
  ];
}

async function measure(bench: Bench, mode: Mode, server: ServerProcess): Promise<Round> {
  const before = server.usage();
  const result = await bench.load.run({
    kind: 'closed',
    port: server.port,
    points: mode.points,
    connections: mode.connections,
    warmupMs: WARM_UP_MS,
    durationMs: bench.quick ? 2000 : 4000,
  });
  const after = server.usage();
  const serverCpuMs = after.cpuMs - before.cpuMs;
  // The usage covers the warm-up too, at the same rate.
  const totalMs = result.elapsedMs + WARM_UP_MS;
  return {
    rate: (result.points / result.elapsedMs) * 1000,
    p99Ms: spreadOf(result.latenciesMs).p99,
    refused: refusedIn(result),
    serverCpuUs: (serverCpuMs * 1000) / ((result.points * totalMs) / result.elapsedMs),
    serverCores: serverCpuMs / totalMs,
    loadCores: result.cpuMs / result.elapsedMs,
    rssMb: after.rssMb,
  };
}
