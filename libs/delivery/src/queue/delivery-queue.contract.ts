import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpReceiver, openHttpReceiver, type ReceivedRequest } from '../rig/http-receiver.js';
import { LedgerBench } from '../rig/ledger-bench.js';
import { until } from '../rig/until.js';
import { DEFAULT_DELIVERY_LIMITS } from '../limit/delivery-limits.js';
import { MemoryLimiter } from '../limit/memory-limiter.js';
import type { CarrierOptions } from './carrier.js';
import type { DeliveryQueue, QueueReport } from './delivery-queue.js';

/** QueueParts are what a queue under test is made of. */
export interface QueueParts {
  readonly bench: LedgerBench;
  readonly deliver: CarrierOptions['deliver'];
  /** Wall clock that a test can set. */
  readonly wallMs: () => number;
  readonly report: (report: QueueReport) => void;
}

/** QueueSetting is what differs between queues. */
export interface QueueSetting {
  readonly openBench: () => Promise<LedgerBench>;
  /** abandon claims a delivery as a worker does that then dies, and answers how long its claim lasts. */
  readonly abandon: (bench: LedgerBench, nowMs: number) => Promise<number>;
  /** Whether it is the only one, and so may move what waits along with a wall clock that is set back. */
  readonly isAlone: boolean;
}

/** The queue of one process: what an earlier life claimed is its own. */
/** EMBEDDED is the setting of a queue in the process that fills the outbox. */
export const EMBEDDED: QueueSetting = {
  openBench: () => LedgerBench.open(),
  abandon: async (bench, nowMs) => {
    await bench.outbox.claimDue(nowMs, 1);
    return 0;
  },
  isAlone: true,
};

const eventIds = (requests: readonly ReceivedRequest[]): string[] =>
  requests.map(({ headers }) => String(headers['webhook-id']));
const bodies = (requests: readonly ReceivedRequest[]): Record<string, unknown>[] =>
  requests.map(({ body }) => Object.fromEntries(Object.entries(Object(JSON.parse(body)))));

/** describeDeliveryQueue states what every queue does. `make` makes one that is not started; the test starts and stops it. */
export function describeDeliveryQueue(
  name: string,
  make: (parts: QueueParts) => DeliveryQueue,
  { openBench, abandon, isAlone }: QueueSetting = EMBEDDED,
): void {
  describe(`${name} as a delivery queue`, () => {
    let bench: LedgerBench;
    let receiver: HttpReceiver;
    let channel: string;
    let queue: DeliveryQueue;
    let reports: QueueReport[];
    /** Added to the real clock: the schedule is walked through without waiting for it. */
    let ahead = 0;
    const limits = DEFAULT_DELIVERY_LIMITS;
    const wallMs = (): number => Date.now() + ahead;
    const makeQueue = (): DeliveryQueue =>
      make({
        bench,
        wallMs,
        report: (report) => reports.push(report),
        deliver: {
          limiter: new MemoryLimiter({ steadyMs: () => performance.now() }),
          limits,
          find: (project, id) => bench.directory.find(project, id),
        },
      });
    const settled = (status: string, count = 1) =>
      until(async () => (await bench.statuses())[status] === count, `${count} ${status}`);

    beforeEach(async () => {
      ahead = 0;
      reports = [];
      bench = await openBench();
      receiver = await openHttpReceiver();
      channel = await bench.addWebhook(receiver.url);
      queue = makeQueue();
    });
    afterEach(async () => {
      await queue.stop(0);
      await receiver.close();
      await bench.close();
    });

    it('delivers what is committed once it is woken, exactly once while nothing fails', async () => {
      await queue.start();
      await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await settled('delivered');
      expect(receiver.requests).toHaveLength(1);
      expect(bodies(receiver.requests)[0]).toMatchObject({ event: 'fired', model_id: 'm1' });
      expect(bodies(receiver.requests)[0]).not.toHaveProperty('suppressed_since_last');
    });

    it('takes up at its start what was committed before', async () => {
      await bench.fire('m1', { channelIds: [channel] });
      await queue.start();
      await settled('delivered');
    });

    it('repeats with the same event id what an earlier life had claimed and did not finish', async () => {
      await bench.fire('m1', { channelIds: [channel] });
      ahead += await abandon(bench, wallMs());
      const [claimed] = await bench.ledger();
      expect(claimed?.status).toBe('sending');
      await queue.start();
      await settled('delivered');
      expect(eventIds(receiver.requests)).toEqual([claimed?.eventId]);
    });

    it('tries again by the schedule and then delivers, with one event id', async () => {
      receiver.answerWith((response) => response.writeHead(503).end());
      await queue.start();
      await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await until(() => reports.some(({ kind }) => kind === 'outcome'), 'the first try');
      const [waiting] = await bench.ledger();
      expect(waiting).toMatchObject({ status: 'pending', attempts: 1, lastError: 'HTTP 503' });
      expect((waiting?.dueMs ?? 0) - wallMs()).toBeGreaterThan(3000);
      receiver.answerWith((response) => response.writeHead(200).end());
      ahead += 5000;
      queue.wake();
      await settled('delivered');
      expect(new Set(eventIds(receiver.requests)).size).toBe(1);
      expect(receiver.requests).toHaveLength(2);
    });

    it('waits as long as Retry-After says', async () => {
      receiver.answerWith((response) => response.writeHead(429, { 'retry-after': '600' }).end());
      await queue.start();
      await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await until(() => reports.some(({ kind }) => kind === 'outcome'), 'the first try');
      const wait = ((await bench.ledger())[0]?.dueMs ?? 0) - wallMs();
      expect(wait).toBeGreaterThan(590_000);
      expect(wait).toBeLessThanOrEqual(600_000);
    });

    it('gives up when the schedule is exhausted, and delivers after a replay', async () => {
      receiver.answerWith((response) => response.writeHead(500).end());
      await queue.start();
      await bench.fire('m1', { channelIds: [channel] });
      for (let tries = 1; (await bench.statuses())['dead'] !== 1; tries += 1) {
        queue.wake();
        await until(() => reports.filter(({ kind }) => kind === 'outcome').length >= tries, `try ${tries}`);
        ahead += 3 * 3_600_000;
        expect(tries).toBeLessThanOrEqual(15);
      }
      const [dead] = await bench.ledger();
      expect(dead?.lastError).toBe('given up: HTTP 500');
      receiver.answerWith((response) => response.writeHead(200).end());
      await bench.deliveries.replay('default', dead?.id ?? '', wallMs());
      queue.wake();
      await settled('delivered');
      expect(new Set(eventIds(receiver.requests)).size).toBe(1);
    });

    it('does not repeat what the receiver rejects', async () => {
      receiver.answerWith((response) => response.writeHead(400).end());
      await queue.start();
      await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await settled('dead');
      expect(receiver.requests).toHaveLength(1);
    });

    it('disables a channel whose receiver is gone, and sends nothing there any more', async () => {
      receiver.answerWith((response) => response.writeHead(410).end());
      await queue.start();
      await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await until(async () => (await bench.channels.get('default', channel))?.enabled === false, 'a disabled channel');
      await bench.fire('m2', { channelIds: [channel] });
      queue.wake();
      await settled('dead', 2);
      expect(receiver.requests).toHaveLength(1);
    });

    it('keeps the order of the events of one alert while its first cannot be delivered', async () => {
      receiver.answerWith((response) => response.writeHead(503).end());
      await queue.start();
      const alert = await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await until(() => receiver.requests.length === 1, 'the first try');
      await bench.change(alert, { kind: 'resolved', channelIds: [channel] });
      queue.wake();
      await bench.fire('m2', { channelIds: [channel] });
      queue.wake();
      await until(() => receiver.requests.length === 2, 'the other alert');
      receiver.answerWith((response) => response.writeHead(200).end());
      ahead += 5000;
      queue.wake();
      await settled('delivered', 3);
      const told = bodies(receiver.requests).filter(({ model_id }) => model_id === 'm1');
      expect(told.map(({ event }) => event)).toEqual(['fired', 'fired', 'resolved']);
    });

    it('lets no channel wait for one that hangs', async () => {
      const hanging = await openHttpReceiver();
      hanging.answerWith(() => undefined);
      const stuck = await bench.addWebhook(hanging.url);
      for (let model = 0; model < 30; model += 1) await bench.fire(`m${model}`, { channelIds: [stuck] });
      await queue.start();
      await until(() => hanging.requests.length > 0, 'a hanging request');
      await bench.fire('urgent', { channelIds: [channel] });
      queue.wake();
      await until(() => receiver.requests.length === 1, 'the other channel');
      expect((await bench.statuses())['delivered'] ?? 0).toBeLessThanOrEqual(1);
      expect(hanging.requests.length).toBeLessThan(30);
      await queue.stop(0);
      await hanging.close();
    });

    it('delivers many at once, each exactly once', async () => {
      const other = await bench.addWebhook(receiver.url);
      await queue.start();
      await Promise.all(
        Array.from({ length: 50 }, async (_, model) => {
          await bench.fire(`m${model}`, { channelIds: [channel, other] });
          queue.wake();
        }),
      );
      await settled('delivered', 100);
      expect(receiver.requests).toHaveLength(100);
    });

    it('holds back what is said again too soon, and sums it up in the next message', async () => {
      await queue.start();
      for (let incident = 0; incident < 3; incident += 1) {
        const alert = await bench.fire('m1', { channelIds: [channel] });
        await bench.change(alert, { kind: 'resolved', channelIds: [] });
        queue.wake();
        await until(
          async () => (await bench.ledger()).every(({ status }) => status !== 'pending' && status !== 'sending'),
          'an end',
        );
      }
      expect(await bench.statuses()).toEqual({ delivered: 1, suppressed: 2 });
      await bench.fire('m1', { severity: 'critical', channelIds: [channel] });
      queue.wake();
      await settled('delivered', 2);
      const again = await bench.fire('m2', { channelIds: [channel] });
      queue.wake();
      await settled('delivered', 3);
      expect(again.modelId).toBe('m2');
      expect(bodies(receiver.requests).map((body) => body['suppressed_since_last'])).toEqual([undefined, 2, undefined]);
    });

    it('always says that it is over to whom it was said that it began, and to nobody else too soon', async () => {
      await queue.start();
      const first = await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await settled('delivered', 1);
      await bench.change(first, { kind: 'resolved', channelIds: [channel] });
      queue.wake();
      await settled('delivered', 2);
      const second = await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await settled('suppressed', 1);
      await bench.change(second, { kind: 'resolved', channelIds: [channel] });
      queue.wake();
      await settled('suppressed', 2);
      expect(bodies(receiver.requests).map(({ event }) => event)).toEqual(['fired', 'resolved']);
    });

    it('waits at its stop for what is being sent', async () => {
      let release = (): void => undefined;
      receiver.answerWith((response) => {
        release = () => response.writeHead(200).end();
      });
      await queue.start();
      await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await until(() => receiver.requests.length === 1, 'a request');
      const stopping = queue.stop(10_000);
      release();
      expect(await stopping).toEqual({ aborted: 0 });
      expect(await bench.statuses()).toEqual({ delivered: 1 });
    });

    it('aborts at its deadline what hangs, which the next start repeats with the same event id', async () => {
      receiver.answerWith(() => undefined);
      await queue.start();
      await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await until(() => receiver.requests.length === 1, 'a request');
      expect(await queue.stop(10)).toEqual({ aborted: 1 });
      expect((await bench.ledger())[0]).toMatchObject({ status: 'pending', attempts: 0 });
      receiver.answerWith((response) => response.writeHead(200).end());
      queue = makeQueue();
      await queue.start();
      await settled('delivered');
      expect(new Set(eventIds(receiver.requests)).size).toBe(1);
    });

    it('delivers nothing more once it is stopped', async () => {
      await queue.start();
      await queue.stop(1000);
      await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      expect(queue.stats()).toEqual({ sending: 0, postponed: 0 });
      expect(await bench.statuses()).toEqual({ pending: 1 });
      expect(receiver.requests).toHaveLength(0);
    });

    it.runIf(isAlone)('keeps retries on time when the wall clock is set back by an hour', async () => {
      receiver.answerWith((response) => response.writeHead(503).end());
      await queue.start();
      await bench.fire('m1', { channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await until(() => reports.some(({ kind }) => kind === 'outcome'), 'the first try');
      ahead -= 3_600_000;
      queue.wake();
      await until(() => reports.some(({ kind }) => kind === 'clock_set_back'), 'the watch');
      const wait = ((await bench.ledger())[0]?.dueMs ?? 0) - wallMs();
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(5000);
    });

    it('sends at once what is committed after the wall clock was set forward by an hour', async () => {
      await queue.start();
      ahead += 3_600_000;
      await bench.fire('m1', { channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await settled('delivered');
    });

    it('sends once what it cannot write down for a while', async () => {
      const rename = (from: string, to: string) => bench.state.db.schema.alterTable(from).renameTo(to).execute();
      await queue.start();
      await bench.fire('m1', { channelIds: [channel] });
      await rename('delivery_attempts', 'out_of_order');
      queue.wake();
      await until(() => reports.some((report) => report.kind === 'fault' && report.during === 'write'), 'a fault');
      await rename('out_of_order', 'delivery_attempts');
      await settled('delivered');
      expect(receiver.requests).toHaveLength(1);
    });

    it('goes on after a fault of the channel directory, and reports it', async () => {
      await bench.state.db.updateTable('channels').set({ sealed_config: 'v1.broken' }).execute();
      await queue.start();
      await bench.fire('m1', { channelIds: [channel] });
      queue.wake();
      await until(() => reports.some(({ kind }) => kind === 'outcome'), 'a try');
      expect((await bench.ledger())[0]).toMatchObject({ status: 'pending', attempts: 1 });
    });
  });
}
