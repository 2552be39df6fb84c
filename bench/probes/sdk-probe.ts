import { setImmediate as turn } from 'node:timers/promises';
import { Tidemark } from '@tidemark/sdk';
import { medianOf } from '../percentiles.js';

const CALLS = 500;
const WARM_UP_ROUNDS = 20;

/** The process in which a host's function is observed. It measures when told where the server is, and says what it found. */
process.on('disconnect', () => process.exit());
process.on('message', (message: unknown) => {
  if (!isTask(message)) throw new Error('the message is not a task');
  probe(message.url, message.rounds).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ fault: String(error) }),
  );
});

async function probe(url: string, rounds: number) {
  const client = new Tidemark({ url, warn: false, maxBufferItems: 20_000 });
  const options = { modelId: 'observed', modelType: 'tabular', tags: { region: 'eu-west' } } as const;
  const predictSync = client.observe(predict, options);
  const predictAsync = client.observe(predictLater, options);
  const syncUs: number[] = [];
  const asyncUs: number[] = [];
  let cpu = process.cpuUsage();
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    if (round === 0) cpu = process.cpuUsage();
    const syncCost = timeSync(predictSync) - timeSync(predict);
    await turn();
    const asyncCost = (await timeAsync(predictAsync)) - (await timeAsync(predictLater));
    // What was recorded is sent between rounds, as it is between the requests of a host.
    await turn();
    if (round % 10 === 0) await client.flush();
    if (round < 0) continue;
    syncUs.push(syncCost);
    asyncUs.push(asyncCost);
  }
  await client.flush();
  const { user, system } = process.cpuUsage(cpu);
  const stats = client.stats();
  await client.close();
  const cpuUs = (user + system) / (rounds * 2 * CALLS);
  return { syncUs: medianOf(syncUs), asyncUs: medianOf(asyncUs), cpuUs, stats };
}

function predict(features: readonly number[]): number {
  let sum = 0;
  for (const feature of features) sum += feature * 0.5;
  return sum;
}

async function predictLater(features: readonly number[]): Promise<number> {
  return predict(features);
}

const FEATURES = Array.from({ length: 16 }, (_, index) => index / 16);
let checksum = 0;

/** Both answer the time of one call in microseconds. What the calls return is used, or they would be optimised away. */
function timeSync(call: (features: readonly number[]) => number): number {
  const beginMs = performance.now();
  for (let i = 0; i < CALLS; i++) checksum += call(FEATURES);
  return ((performance.now() - beginMs) * 1000) / CALLS;
}

async function timeAsync(call: (features: readonly number[]) => Promise<number>): Promise<number> {
  const beginMs = performance.now();
  for (let i = 0; i < CALLS; i++) checksum += await call(FEATURES);
  return ((performance.now() - beginMs) * 1000) / CALLS;
}

function isTask(value: unknown): value is { readonly url: string; readonly rounds: number } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'url' in value &&
    typeof value.url === 'string' &&
    'rounds' in value &&
    typeof value.rounds === 'number'
  );
}

process.on('exit', () => {
  if (!Number.isFinite(checksum)) process.exitCode = 1;
});
