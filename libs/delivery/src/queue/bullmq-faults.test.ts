import { fileURLToPath } from 'node:url';
import { openRedis } from '@tidemark/redis/open';
import { canRun, isFullLength, Process, rounds, startRedisCluster } from '@tidemark/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryLimiter } from '../limit/memory-limiter.js';
import { type HttpReceiver, openHttpReceiver } from '../rig/http-receiver.js';
import type { LedgerBench } from '../rig/ledger-bench.js';
import { useProduction } from '../rig/production-bench.js';
import { until } from '../rig/until.js';
import { BullMqQueue, type BullMqQueueOptions } from './bullmq-queue.js';
import type { QueueReport } from './delivery-queue.js';
import { OutboxRelay } from './outbox-relay.js';

const WORKER = fileURLToPath(new URL('../rig/delivery-worker.mjs', import.meta.url));

describe.skipIf(!canRun('postgres', 'redis-server'))('deliveries over workers', () => {
  const production = useProduction();
  let prefixes = 0;
  const freshPrefix = () => `{faults${(prefixes += 1)}}`;

  async function ledger() {
    const { bench, url, key } = await production.openLedger();
    const receiver = await openHttpReceiver();
    onTestFinished(async () => {
      await receiver.close();
      await bench.close();
    });
    return { bench, receiver, url, key, channel: await bench.addWebhook(receiver.url) };
  }
  /** A worker in this process, with connections of its own. */
  async function worker(bench: LedgerBench, prefix: string, changes: Partial<BullMqQueueOptions> = {}) {
    const link = (role: 'producer' | 'worker') =>
      openRedis({ url: production.redis().url, role, onFault: () => undefined });
    const links = [link('producer'), link('worker')] as const;
    const steadyMs = () => performance.now();
    const queue = new BullMqQueue({
      ...{ outbox: bench.outbox, claims: bench.claims, deliveries: bench.deliveries, prefix },
      ...{ producer: links[0], worker: links[1], wallMs: Date.now, steadyMs, random: () => 1, holder: prefix },
      deliver: {
        limiter: new MemoryLimiter({ steadyMs }),
        limits: { subject: { max: 1000, windowMs: 1000 }, channel: { max: 1000, windowMs: 1000 } },
        find: (project, id) => bench.directory.find(project, id),
      },
      disable: (project, id, change) => bench.directory.disable(project, id, change),
      report: () => undefined,
      ...changes,
    });
    onTestFinished(async () => {
      await queue.stop(0);
      await Promise.all(links.map((one) => one.close()));
    });
    await links[0].whenUp(10_000);
    await queue.start();
    return queue;
  }
  const ids = ({ requests }: HttpReceiver) => requests.map(({ headers }) => String(headers['webhook-id']));
  const delivered = (bench: LedgerBench, count: number, ms = 60_000) =>
    until(async () => (await bench.statuses())['delivered'] === count, `${count} delivered`, ms);

  it(
    'delivers a hundred alerts that fire while Redis is dead, each once, and those under way when it died',
    { timeout: 300_000 },
    async () => {
      const { bench, receiver, channel } = await ledger();
      const queue = await worker(bench, freshPrefix(), { lockMs: 2000 });
      let answer: (() => void)[] = [];
      receiver.answerWith((response) => void answer.push(() => response.writeHead(200).end()));
      for (let model = 0; model < 4; model += 1) await bench.fire(`before${model}`, { channelIds: [channel] });
      queue.wake();
      await until(() => answer.length === 4, 'four under way');
      await production.redis().kill();
      const deadMs = performance.now();
      receiver.answerWith((response) => response.writeHead(200).end());
      for (const release of answer) release();
      answer = [];
      for (let model = 0; model < 100; model += 1) {
        await bench.fire(`m${model}`, { channelIds: [channel] });
        queue.wake();
      }
      await delivered(bench, 4); // what was under way ends without Redis
      expect(queue.isAlive()).toBe(true);
      if (isFullLength()) await until(() => performance.now() - deadMs > 60_000, 'a minute', 70_000);
      await production.redis().start();
      await delivered(bench, 104);
      const isDone = () => queue.depth !== null && queue.depth.waiting + queue.depth.active === 0;
      await until(isDone, 'the end of all jobs, also of those that were under way', 30_000);
      expect(receiver.requests).toHaveLength(104);
      expect(new Set(ids(receiver)).size).toBe(104);
    },
  );

  it(
    'repeats with the same event id what a killed worker had sent and not written down',
    { timeout: 600_000 },
    async () => {
      const { bench, receiver, channel, url, key } = await ledger();
      const kills = rounds(4, 50);
      let running: Process | null = null;
      const start = (): void => {
        const setting = { databaseUrl: url, redisUrl: production.redis().url, key: key.toString('hex') };
        const times = { holder: `w${performance.now()}`, leaseMs: 1500, lockMs: 1000 };
        running = Process.start({
          command: process.execPath,
          args: [WORKER, JSON.stringify({ ...setting, ...times })],
        });
      };
      const kill = async (): Promise<void> => {
        await running?.end('SIGKILL');
        running = null;
      };
      onTestFinished(kill);
      const met = new Set<string>();
      /** In which lives of the worker each event arrived: says what an unexpected repeat was. */
      const arrivals = new Map<string, number[]>();
      let killed = 0;
      // The request has arrived and is never answered: the worker dies between sending and acknowledging.
      receiver.answerWith((response, { headers }) => {
        const id = String(headers['webhook-id']);
        arrivals.set(id, [...(arrivals.get(id) ?? []), killed]);
        if (met.has(id)) return void response.writeHead(200).end();
        met.add(id);
        void kill().then(() => {
          killed += 1;
          start();
        });
      });
      start();
      for (let round = 1; round <= kills; round += 1) {
        await bench.fire(`m${round}`, { channelIds: [channel] });
        await until(() => killed === round, `kill ${round}`, 30_000);
        // One at a time: a kill cuts off every try that is under way, and each of those is repeated.
        await delivered(bench, round);
      }
      const seen = ids(receiver);
      expect(new Set(seen)).toEqual(new Set((await bench.ledger()).map(({ eventId }) => eventId)));
      expect(new Set(seen).size).toBe(kills);
      for (const lives of arrivals.values()) expect(new Set(lives).size).toBe(lives.length); // never twice in one life
      expect(seen.length - kills, JSON.stringify([...arrivals])).toBeLessThanOrEqual(kills);
    },
  );

  it('does not lose a delivery in which a worker dies five times', { timeout: 120_000 }, async () => {
    const { bench, receiver, channel, url, key } = await ledger();
    let running: Process | null = null;
    const start = (): void => {
      const setting = { databaseUrl: url, redisUrl: production.redis().url, key: key.toString('hex') };
      const args = [WORKER, JSON.stringify({ ...setting, holder: 'w', leaseMs: 1000, lockMs: 600 })];
      running = Process.start({ command: process.execPath, args });
    };
    onTestFinished(async () => void (await running?.end('SIGKILL')));
    receiver.answerWith((response) => {
      if (receiver.requests.length > 5) return void response.writeHead(200).end();
      void running?.end('SIGKILL').then(start);
    });
    await bench.fire('m1', { channelIds: [channel] });
    start();
    await delivered(bench, 1, 100_000);
    expect(receiver.requests).toHaveLength(6);
    expect(new Set(ids(receiver)).size).toBe(1);
  });

  it('sends nothing twice when Redis is paused and a job loses its lock to another worker', async () => {
    const { bench, receiver, channel } = await ledger();
    const prefix = freshPrefix();
    const workers = [await worker(bench, prefix, { lockMs: 500 }), await worker(bench, prefix, { lockMs: 500 })];
    let release = (): void => undefined;
    receiver.answerWith((response) => {
      release = () => response.writeHead(200).end();
    });
    await bench.fire('m1', { channelIds: [channel] });
    for (const one of workers) one.wake();
    await until(() => receiver.requests.length === 1, 'a request');
    production.redis().pause();
    onTestFinished(() => production.redis().resume());
    const pausedMs = performance.now();
    await until(() => performance.now() - pausedMs > 1000, 'the end of the lock');
    production.redis().resume();
    const resumedMs = performance.now();
    await until(
      () => workers.some(({ lastProgressMs }) => lastProgressMs > resumedMs),
      'another look at the job',
      30_000,
    );
    release();
    await delivered(bench, 1);
    expect(receiver.requests).toHaveLength(1);
  });

  it('finds again what Redis forgot', async () => {
    const { bench, receiver, channel } = await ledger();
    const prefix = freshPrefix();
    receiver.answerWith((response) => response.writeHead(503).end());
    const queue = await worker(bench, prefix);
    await bench.fire('m1', { channelIds: [channel] });
    queue.wake();
    await until(async () => (await bench.ledger())[0]?.attempts === 1, 'a try');
    receiver.answerWith((response) => response.writeHead(200).end());
    await production.producer().client.flushall();
    await delivered(bench, 1);
  });

  it('tells of a Redis that refuses, without what it was asked, and delivers when it takes jobs again', async () => {
    const { bench, receiver, channel } = await ledger();
    const reports: QueueReport[] = [];
    const queue = await worker(bench, freshPrefix(), { report: (report) => reports.push(report) });
    const { client } = production.producer();
    onTestFinished(async () => void (await client.config('SET', 'maxmemory', '0')));
    await client.config('SET', 'maxmemory', '1');
    await bench.fire('m1', { channelIds: [channel] });
    queue.wake();
    await until(() => reports.length > 0, 'a fault');
    for (const report of reports) {
      expect(report).toMatchObject({ kind: 'fault', during: 'claim' });
      expect(report.kind === 'fault' && Object.keys(Object(report.error))).toEqual([]);
    }
    await client.config('SET', 'maxmemory', '0');
    await delivered(bench, 1);
    expect(reports.filter(({ kind }) => kind === 'fault').length).toBeLessThanOrEqual(2); // the relay's and the consumer's
    expect(receiver.requests).toHaveLength(1);
  });

  it('makes one job of a row, however many relays there are, and tells in it where the row is and nothing else', async () => {
    const { bench, channel } = await ledger();
    const prefix = freshPrefix();
    const { client } = production.producer();
    const faults: unknown[] = [];
    const relays = Array.from({ length: 3 }, () => {
      const clocks = { wallMs: Date.now, steadyMs: () => performance.now(), everyMs: 10 };
      const onFault = (error: unknown) => faults.push(error);
      const { claims, outbox } = bench;
      return new OutboxRelay({ claims, outbox, link: production.producer(), ...clocks, onFault, prefix });
    });
    onTestFinished(async () => void (await Promise.all(relays.map((relay) => relay.stop()))));
    for (let model = 0; model < 3; model += 1) await bench.fire(`m${model}`, { channelIds: [channel] });
    for (const relay of relays) relay.start();
    await until(async () => (await client.llen(`${prefix}:deliveries:wait`)) === 3, 'three jobs');
    for (const relay of relays) await relay.stop();
    expect(await client.llen(`${prefix}:deliveries:wait`)).toBe(3);
    for (const { id, project, payload } of await bench.ledger()) {
      const job = await client.hgetall(`${prefix}:deliveries:delivery-${id}`);
      expect(JSON.parse(job['data'] ?? '')).toEqual({ id, project });
      expect(JSON.stringify(job)).not.toContain(payload.slice(0, 20));
    }
    expect(faults).toEqual([]);
  });

  it('looks at the outbox at once for a wake that comes alone, and seldom for many', async () => {
    const { bench } = await ledger();
    let rounds = 0;
    const claims: Pick<typeof bench.claims, 'dueForRelay'> = {
      dueForRelay: (nowMs, options) => {
        rounds += 1;
        return bench.claims.dueForRelay(nowMs, options);
      },
    };
    const link = production.producer();
    await link.whenUp(10_000);
    const options = { wallMs: Date.now, steadyMs: () => performance.now(), everyMs: 600_000, prefix: freshPrefix() };
    const relay = new OutboxRelay({ claims, outbox: bench.outbox, link, onFault: () => undefined, ...options });
    onTestFinished(() => relay.stop());
    const startedMs = performance.now();
    relay.start();
    expect(rounds).toBe(1);
    await until(() => {
      relay.wake();
      return rounds >= 5;
    }, 'five rounds');
    expect(performance.now() - startedMs).toBeGreaterThan(4 * 49); // a lower bound: a slow machine only has fewer rounds
  });

  it('delivers more of one channel than its lanes hold, without waiting until all is told of again', async () => {
    const { bench, receiver, channel } = await ledger();
    const waiting: (() => void)[] = [];
    receiver.answerWith((response) => void waiting.push(() => response.writeHead(200).end()));
    const prefix = freshPrefix();
    const steadyMs = () => 0; // on this clock the time for telling again never comes
    for (let model = 0; model < 40; model += 1) await bench.fire(`m${model}`, { channelIds: [channel] });
    for (const holder of ['one', 'other']) await worker(bench, prefix, { places: 8, holder, steadyMs });
    await until(() => waiting.length === 8, 'both lanes to be full');
    const { client } = production.producer();
    const jobs = async (list: string) => client.llen(`${prefix}:deliveries:${list}`);
    // Of 8 places a worker gives one channel its lane of 4, and room for 2 to wait.
    const isQuiet = async () => (await jobs('wait')) === 0 && (await jobs('active')) <= 2 * 6;
    await until(isQuiet, 'the rest to be turned away');
    receiver.answerWith((response) => response.writeHead(200).end());
    for (const release of waiting) release();
    await delivered(bench, 40);
    expect(new Set(ids(receiver)).size).toBe(40);
    expect(receiver.requests).toHaveLength(40);
  });

  it('tells nothing of a try that another worker took over, and leaves its channel alone', async () => {
    const { bench, receiver, channel } = await ledger();
    const outcomes: QueueReport[] = [];
    const report = (one: QueueReport) => void outcomes.push(one);
    let gone: (() => void) | undefined;
    receiver.answerWith((response) => (gone = () => response.writeHead(410).end()));
    const queue = await worker(bench, freshPrefix(), { leaseMs: 1000, report });
    await bench.fire('m', { channelIds: [channel] });
    queue.wake();
    await until(() => gone !== undefined, 'the try');
    const [row] = await bench.ledger();
    const other = { nowMs: Date.now() + 2000, leaseMs: 60_000, holder: 'other' };
    expect(await bench.claims.claim(row?.id ?? '', other)).toMatchObject({ outcome: 'claimed' });
    gone?.();
    await until(() => queue.stats().sending === 0, 'the end of the try');
    expect(outcomes).toEqual([]);
    expect(await bench.directory.find(row?.project ?? '', channel)).toMatchObject({ kind: 'open' });
    expect(await bench.statuses()).toEqual({ sending: 1 });
  });

  it('works on a Cluster', async () => {
    const group = await startRedisCluster();
    onTestFinished(() => group.close());
    const open = (role: 'producer' | 'worker') => openRedis({ url: group.url, role, onFault: () => undefined });
    const links = [open('producer'), open('worker')] as const;
    onTestFinished(async () => void (await Promise.all(links.map((link) => link.close()))));
    const { bench, receiver, channel } = await ledger();
    await Promise.all(links.map((link) => link.whenUp(10_000)));
    const queue = await worker(bench, '{cluster}', { producer: links[0], worker: links[1] });
    for (let model = 0; model < 20; model += 1) await bench.fire(`m${model}`, { channelIds: [channel] });
    queue.wake();
    await delivered(bench, 20);
    expect(receiver.requests).toHaveLength(20);
  });
});
