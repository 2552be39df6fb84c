import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { canRun, Process } from '@tidemark/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openHttpReceiver } from '../rig/http-receiver.js';
import { useProduction } from '../rig/production-bench.js';
import { until } from '../rig/until.js';
import { QUEUE_NAME, QUEUE_PREFIX } from './delivery-jobs.js';

const WORKER = fileURLToPath(new URL('../rig/delivery-worker.mjs', import.meta.url));
const QUEUE = `${QUEUE_PREFIX}:${QUEUE_NAME}`;
const ALERTS = 20;
/** Between two looks at the locks: the worker under test needs the processor, too. */
const LOOK_MS = 100;

describe.skipIf(!canRun('postgres', 'redis-server'))('jobs in the hands of a worker', () => {
  const production = useProduction();

  /** A worker process with the queue's own times, and a channel of which nothing is answered until `answer`. */
  async function hangingChannel({ lockMs }: { readonly lockMs?: number } = {}) {
    const { client } = production.producer();
    await client.flushall();
    const { bench, url, key } = await production.openLedger();
    const receiver = await openHttpReceiver();
    const waiting: ServerResponse[] = [];
    receiver.answerWith((response) => void waiting.push(response));
    const answer = (): void => {
      receiver.answerWith((response) => response.writeHead(200).end());
      for (const response of waiting) response.writeHead(200).end();
    };
    const setting = { databaseUrl: url, redisUrl: production.redis().url, key: key.toString('hex'), leaseMs: 1000 };
    const start = async (holder: string): Promise<Process> => {
      const args = [WORKER, JSON.stringify({ ...setting, holder, lockMs })];
      const worker = Process.start({ command: process.execPath, args });
      onTestFinished(async () => void (await worker.end('SIGKILL')));
      await until(() => worker.output.includes('ready'), 'a worker');
      return worker;
    };
    onTestFinished(async () => {
      await receiver.close();
      await bench.close();
    });
    const channel = await bench.addWebhook(receiver.url);
    for (let model = 0; model < ALERTS; model += 1) await bench.fire(`m${model}`, { channelIds: [channel] });
    const locks = async (): Promise<number[]> => {
      const rows = await bench.ledger();
      return Promise.all(rows.map(({ id }) => client.pttl(`${QUEUE}:delivery-${id}:lock`)));
    };
    return { bench, start, locks, client, answer };
  }

  it('go to another one within 10 s of lock and 5 s of looking when it is killed', { timeout: 90_000 }, async () => {
    const { bench, start, locks, client, answer } = await hangingChannel();
    const killed = await start('killed');
    // 4 are claimed; the others are taken and wait for the lane, so nothing in the database tells of them.
    await until(async () => (await locks()).every((ms) => ms > 0), 'all jobs in one hand');
    await until(async () => (await bench.statuses())['sending'] === 4, 'a full lane');
    await killed.end('SIGKILL');
    for (const leftMs of await locks()) expect(leftMs).toBeLessThanOrEqual(10_000);
    answer();
    await start('other');
    await until(async () => (await client.pttl(`${QUEUE}:stalled-check`)) > 0, 'a look for stalled jobs', 30_000);
    expect(await client.pttl(`${QUEUE}:stalled-check`)).toBeLessThanOrEqual(5000);
    await until(async () => (await bench.statuses())['delivered'] === ALERTS, 'all delivered', 60_000);
  });

  it('stay with it while it lives, however long they wait for their lane', { timeout: 60_000 }, async () => {
    const lockMs = 4000;
    const { bench, start, locks, client, answer } = await hangingChannel({ lockMs });
    await start('busy');
    await until(async () => (await locks()).every((ms) => ms > 0), 'all jobs in one hand');
    await start('idle');
    // A lock's time runs down and rises when it is renewed. One that was lost, and taken by another, is told of below.
    const seen = (await locks()).map((leftMs) => ({ leftMs, renewals: 0 }));
    const look = async (): Promise<boolean> => {
      await pause(LOOK_MS);
      for (const [index, leftMs] of (await locks()).entries()) {
        const lock = seen[index];
        if (lock === undefined) throw new Error('a delivery more than before');
        if (leftMs > lock.leftMs) lock.renewals += 1;
        lock.leftMs = leftMs;
      }
      return seen.every(({ renewals }) => renewals >= 2);
    };
    await until(look, 'two renewals of every lock', 30_000);
    expect(seen.every(({ leftMs }) => leftMs > 0)).toBe(true);
    answer();
    await until(async () => (await bench.statuses())['delivered'] === ALERTS, 'all delivered', 30_000);
    const events = await client.xrange(`${QUEUE}:events`, '-', '+');
    expect(events.filter(([, fields]) => fields.includes('stalled'))).toEqual([]);
  });
});
