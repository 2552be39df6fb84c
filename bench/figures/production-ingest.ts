import { getText, registerModels } from '../models.js';
import type { Bench } from '../bench.js';
import type { Figure, Reading } from '../figure.js';
import { refusedIn } from '../load.js';
import { medianOf, spreadOf } from '../percentiles.js';
import { type Costs, costAPoint, PARTS, totalOf } from '../production/costs.js';
import { compareShapes, countStored, createDirect, DIRECT_PATH } from '../production/influx-peer.js';
import type { ProductionStack } from '../production/production-stack.js';
import { quantity } from '../table.js';

const POINTS = 1000;
const WARM_UP_MS = 1000;
/** With how many connections each is fastest is tried out: neither is to look slow for want of them. */
const TRIED_OF_TIDEMARK = [16, 32];
const TRIED_OF_INFLUXDB = [2, 4, 8, 16];

/** Way is one way for points into InfluxDB. */
interface Way {
  readonly name: string;
  readonly port: number;
  readonly connections: number;
  readonly linesPath?: string;
}

interface Round {
  readonly rate: number;
  /** All points that were acknowledged, in the warm-up too. */
  readonly acknowledged: number;
  readonly p99Ms: number;
  /** Processor time of each part of the stack a point, in µs: it holds on a busy machine too. */
  readonly costs: Costs;
  readonly loadCores: number;
  /** Points that wait on disk for InfluxDB when the round is over: acknowledged, and not stored yet. */
  readonly spooled: number;
}

/** productionIngestFigure compares ingest through the whole stack with what its InfluxDB takes without it, in turns. */
export const productionIngestFigure: Figure = {
  name: 'production-ingest',
  title: 'durable ingest through nginx and InfluxDB beside InfluxDB alone',
  needs: ['nginx', 'influxd', 'postgres', 'redis-server'],
  measure: async (bench) => [...(await measureStack(bench, 1)), ...(await measureStack(bench, 2))],
};

async function measureStack(bench: Bench, apis: number): Promise<Reading[]> {
  return bench.withStack({ apis, workers: 1 }, async (stack) => {
    await registerModels(stack);
    await createDirect(stack.influxdb.url);
    const lines = { name: 'InfluxDB alone', port: stack.influxdb.place.port, linesPath: DIRECT_PATH };
    const { way: alone } = await fastest(bench, stack, lines, TRIED_OF_INFLUXDB);
    const { way: door, tries } = await fastest(bench, stack, { name: 'nginx', port: stack.port }, TRIED_OF_TIDEMARK);
    const [first] = stack.apis;
    const straight = { name: 'api', port: first?.place.port ?? 0, connections: door.connections };
    const ways: readonly Way[] = apis === 1 ? [door, alone, straight] : [door, alone];
    const rounds = new Map<Way, Round[]>(ways.map((way) => [way, []]));
    const count = bench.quick ? 3 : 5;
    for (let i = 0; i < count; i++) {
      for (const way of ways) rounds.get(way)?.push(await measure(bench, stack, way));
      const rates = ways.map((way) => `${way.name} ${quantity(rounds.get(way)?.[i]?.rate ?? NaN, 'points/s')}`);
      bench.say(`production-ingest, ${apis} api, round ${i + 1} of ${count}: ${rates.join(', ')}`);
    }
    await verify(stack, [...tries, ...(rounds.get(door) ?? []), ...(rounds.get(straight) ?? [])]);
    const [ours, theirs] = [rounds.get(door) ?? [], rounds.get(alone) ?? []];
    return [
      ...readingsOf(apis, { ours, theirs, over: { ours: door.connections, theirs: alone.connections } }),
      ...(apis === 1 ? straightReadings(rounds.get(straight) ?? [], straight.connections) : []),
    ];
  });
}

/** fastest tries a way with several numbers of connections, and answers it with the best of them, and the tries. */
async function fastest(
  bench: Bench,
  stack: ProductionStack,
  way: Omit<Way, 'connections'>,
  tried: readonly number[],
): Promise<{ readonly way: Way; readonly tries: readonly Round[] }> {
  const tries: Round[] = [];
  let best: Way | null = null;
  let bestRate = -1;
  for (const connections of tried) {
    const round = await measure(bench, stack, { ...way, connections });
    tries.push(round);
    const { rate } = round;
    const shown = quantity(rate, 'points/s');
    bench.say(`production-ingest: ${way.name} takes ${shown} over ${connections} connections`);
    if (rate > bestRate) [best, bestRate] = [{ ...way, connections }, rate];
  }
  if (!best) throw new Error('nothing was tried');
  return { way: best, tries };
}

async function measure(bench: Bench, stack: ProductionStack, { name, ...way }: Way): Promise<Round> {
  await stack.settle();
  const before = stack.costs();
  const result = await bench.load.run({
    kind: 'closed',
    points: POINTS,
    warmupMs: WARM_UP_MS,
    durationMs: bench.quick ? 2000 : 4000,
    ...way,
  });
  const after = stack.costs();
  const spooled = way.linesPath === undefined ? await spooledIn(stack) : 0;
  if (refusedIn(result) > 0) throw new Error(`${name}: answers other than 2xx: ${JSON.stringify(result.refused)}`);
  // The costs cover the warm-up too, at the same rate.
  const points = (result.points * (result.elapsedMs + WARM_UP_MS)) / result.elapsedMs;
  return {
    rate: (result.points / result.elapsedMs) * 1000,
    acknowledged: result.pointsEver,
    p99Ms: spreadOf(result.latenciesMs).p99,
    costs: costAPoint(before, after, points),
    loadCores: result.cpuMs / result.elapsedMs,
    spooled,
  };
}

/** What was acknowledged must be there, and what was compared must have been the same. */
async function verify(stack: ProductionStack, ours: readonly Round[]): Promise<void> {
  await stack.settle();
  if (stack.apis.length === 1) await compareShapes(stack.influxdb.url);
  const acknowledged = ours.reduce((sum, round) => sum + round.acknowledged, 0);
  const stored = await countStored(stack.influxdb.url);
  if (stored < acknowledged) throw new Error(`${acknowledged} points were acknowledged and ${stored} are stored`);
}

async function spooledIn(stack: ProductionStack): Promise<number> {
  const texts = await Promise.all(stack.apis.map(({ url }) => getText(`${url}/metrics`)));
  return texts.reduce((sum, text) => {
    const points = /^tidemark_spool_points (\d+)/m.exec(text)?.[1];
    if (points === undefined) throw new Error('an instance does not tell what waits in its spool');
    return sum + Number(points);
  }, 0);
}

function readingsOf(apis: number, compared: Compared): Reading[] {
  const { ours, theirs } = compared;
  const id = `production.ingest_${apis}_api`;
  const spooled = Math.max(...ours.map((round) => round.spooled));
  return [
    ...rateReadings(id, apis, compared),
    ...costReadings(id, ours, theirs),
    { id: `${id}.spooled`, name: '  points left in the spool after a round, most', value: spooled, unit: '' },
  ];
}

interface Compared {
  readonly ours: readonly Round[];
  readonly theirs: readonly Round[];
  /** Over how many connections. */
  readonly over: { readonly ours: number; readonly theirs: number };
}

function rateReadings(id: string, apis: number, { ours, theirs, over }: Compared): Reading[] {
  const isMain = apis === 1;
  return [
    {
      id: `${id}.points_per_s`,
      name: `production ingest, batches of ${POINTS}, ${apis} api, through nginx`,
      value: medianOf(ours.map(({ rate }) => rate)),
      unit: 'points/s',
      ...(isMain ? { target: { atLeast: 80_000 } } : {}),
      detail: { connections: over.ours, rounds: ours },
    },
    {
      id: `${id}.influxdb_points_per_s`,
      name: '  the same InfluxDB alone',
      value: medianOf(theirs.map(({ rate }) => rate)),
      unit: 'points/s',
      detail: { connections: over.theirs, rounds: theirs },
    },
    {
      id: `${id}.share_of_influxdb`,
      name: '  share of it',
      value: medianOf(ours.map(({ rate }, i) => rate / (theirs[i]?.rate ?? NaN))),
      unit: '',
      ...(isMain ? { target: { atLeast: 0.3 } } : {}),
    },
  ];
}

function costReadings(id: string, ours: readonly Round[], theirs: readonly Round[]): Reading[] {
  const median = (rounds: readonly Round[], figure: (round: Round) => number) => medianOf(rounds.map(figure));
  return [
    ...PARTS.map((part) => ({
      id: `${id}.${part}_cpu_us_a_point`,
      name: `  processor time a point, ${part}`,
      value: median(ours, (round) => round.costs[part]),
      unit: 'us',
    })),
    {
      id: `${id}.cpu_us_a_point`,
      name: '  processor time a point, all of it',
      value: median(ours, (round) => totalOf(round.costs)),
      unit: 'us',
    },
    {
      id: `${id}.influxdb_alone_cpu_us_a_point`,
      name: '  ... of InfluxDB alone',
      value: median(theirs, (round) => round.costs.influxdb),
      unit: 'us',
    },
  ];
}

function straightReadings(rounds: readonly Round[], connections: number): Reading[] {
  return [
    {
      id: 'production.ingest_straight.points_per_s',
      name: 'the same without nginx, straight to the api',
      value: medianOf(rounds.map(({ rate }) => rate)),
      unit: 'points/s',
      detail: { connections, rounds },
    },
  ];
}
