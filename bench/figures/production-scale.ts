import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import type { Figure, Reading } from '../figure.js';
import { refusedIn } from '../load.js';
import { registerModels } from '../models.js';
import { type Costs, costAPoint, costsOf, PARTS, totalOf } from '../production/costs.js';
import type { ProductionStack } from '../production/production-stack.js';
import { readCounts, type ServerCounts } from '../production/server-counts.js';
import { quantity } from '../table.js';

const POINTS_PER_S = 15_000;
const BATCHES = [100, 1000];
const INSTANCES = [1, 2, 3];

/** Sample is what one rate of points cost a stack. */
interface Sample {
  readonly apis: number;
  readonly batch: number;
  readonly points: number;
  /** µs a point, without what the parts take at rest. */
  readonly costs: Costs;
  /** What they take in a second in which no point comes, in ms. */
  readonly restMs: Costs;
  /** What the servers counted for a thousand points, and for a second in which none came. */
  readonly perThousand: ServerCounts;
  readonly perIdleSecond: ServerCounts;
}

/** productionScaleFigure is what a point costs with one, two and three instances at the same rate. */
export const productionScaleFigure: Figure = {
  name: 'production-scale',
  title: `what a point costs as instances are added, at ${POINTS_PER_S.toLocaleString('en-US')} points/s`,
  needs: ['nginx', 'influxd', 'postgres', 'redis-server'],
  measure: async (bench) => {
    const samples: Sample[] = [];
    for (const apis of INSTANCES) {
      samples.push(...(await bench.withStack({ apis, workers: 1 }, (stack) => sampleStack(bench, stack))));
    }
    return BATCHES.flatMap((batch) => readingsOf(samples.filter((sample) => sample.batch === batch)));
  },
};

async function sampleStack(bench: Bench, stack: ProductionStack): Promise<Sample[]> {
  await registerModels(stack);
  // Code is compiled and files are made before anything is counted: each instance has to see as many points for that.
  const apis = stack.apis.length;
  for (const batch of BATCHES) await offer(bench, stack, { batch, seconds: apis * (bench.quick ? 3 : 6) });
  const { perIdleSecond, restMs } = await countIdle(bench, stack);
  const samples: Sample[] = [];
  for (const batch of BATCHES) {
    await stack.settle();
    const counted = await readCounts(stack.countedUrls);
    const before = stack.costs();
    const beginMs = performance.now();
    const points = await offer(bench, stack, { batch, seconds: bench.quick ? 6 : 15 });
    const after = stack.costs();
    const seconds = (performance.now() - beginMs) / 1000;
    const counts = await readCounts(stack.countedUrls);
    const perThousand = {
      transactions: ((counts.transactions - counted.transactions) * 1000) / points,
      commands: ((counts.commands - counted.commands) * 1000) / points,
    };
    const sample = {
      apis,
      batch,
      points,
      costs: costAPoint(addRest(before, restMs, seconds), after, points),
      restMs,
      perThousand,
      perIdleSecond,
    };
    bench.say(
      `production-scale, ${sample.apis} api, batches of ${batch}: ${quantity(totalOf(sample.costs), 'us')} a point, ` +
        `${quantity(perThousand.transactions, 'transactions')} a thousand points`,
    );
    samples.push(sample);
  }
  return samples;
}

/** offer sends at the rate, and answers how many points were taken; every one must be. */
async function offer(
  bench: Bench,
  stack: ProductionStack,
  { batch, seconds }: { readonly batch: number; readonly seconds: number },
): Promise<number> {
  const result = await bench.load.run({
    kind: 'open',
    port: stack.port,
    points: batch,
    connections: 32,
    pointsPerS: POINTS_PER_S,
    warmupMs: 0,
    durationMs: seconds * 1000,
  });
  if (refusedIn(result) > 0) throw new Error(`answers other than 2xx: ${JSON.stringify(result.refused)}`);
  return result.points;
}

/** What is counted of an idle stack, and what it takes: instances ask some things each second whatever comes. */
async function countIdle(
  bench: Bench,
  stack: ProductionStack,
): Promise<{ readonly perIdleSecond: ServerCounts; readonly restMs: Costs }> {
  await stack.settle();
  const counted = await readCounts(stack.countedUrls);
  const before = stack.costs();
  const beginMs = performance.now();
  await sleep(bench.quick ? 4000 : 8000);
  const seconds = (performance.now() - beginMs) / 1000;
  const after = stack.costs();
  const counts = await readCounts(stack.countedUrls);
  const countedS = (performance.now() - beginMs) / 1000;
  return {
    perIdleSecond: {
      transactions: (counts.transactions - counted.transactions) / countedS,
      commands: (counts.commands - counted.commands) / countedS,
    },
    restMs: costsOf((part) => (after[part] - before[part]) / seconds),
  };
}

function addRest(before: Costs, restMs: Costs, seconds: number): Costs {
  return costsOf((part) => before[part] + restMs[part] * seconds);
}

function readingsOf(samples: readonly Sample[]): Reading[] {
  const first = samples.find(({ apis }) => apis === 1);
  const last = samples.find(({ apis }) => apis === INSTANCES.at(-1));
  if (!first || !last) throw new Error('nothing was measured');
  const id = `production.scale_batch_${first.batch}`;
  return [
    ...samples.map((sample) => ({
      id: `${id}.${sample.apis}_api.cpu_us_a_point`,
      name: `a point in batches of ${sample.batch}, ${sample.apis} api, all processes`,
      value: totalOf(sample.costs),
      unit: 'us',
      detail: { ...sample },
    })),
    ...samples.flatMap((sample) =>
      PARTS.map((part) => ({
        id: `${id}.${sample.apis}_api.${part}_cpu_us_a_point`,
        name: `  ${part}, ${sample.apis} api`,
        value: sample.costs[part],
        unit: 'us',
      })),
    ),
    ...samples.flatMap((sample) => [
      {
        id: `${id}.${sample.apis}_api.transactions`,
        name: `  PostgreSQL, ${sample.apis} api, for 1000 points`,
        value: sample.perThousand.transactions,
        unit: 'transactions',
      },
      {
        id: `${id}.${sample.apis}_api.commands`,
        name: `  Redis, ${sample.apis} api, for 1000 points`,
        value: sample.perThousand.commands,
        unit: 'commands',
      },
    ]),
    {
      id: `${id}.growth`,
      name: `  ${last.apis} api beside 1, all processes`,
      value: totalOf(last.costs) / totalOf(first.costs),
      unit: '',
    },
  ];
}
