import type { Alert } from '@tidemark/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_DELIVERY_LIMITS } from '../limit/delivery-limits.js';
import { MemoryLimiter } from '../limit/memory-limiter.js';
import { type HttpReceiver, openHttpReceiver } from '../rig/http-receiver.js';
import type { LedgerBench } from '../rig/ledger-bench.js';
import { until } from '../rig/until.js';
import type { DeliveryQueue } from './delivery-queue.js';
import { EMBEDDED, type QueueParts, type QueueSetting } from './delivery-queue.contract.js';

/** describeWindowEnd states what every queue does when a window ends in which something was held back. */
export function describeWindowEnd(
  name: string,
  make: (parts: QueueParts) => DeliveryQueue,
  { openBench }: Pick<QueueSetting, 'openBench'> = EMBEDDED,
): void {
  describe(`${name} at the end of a window`, () => {
    let bench: LedgerBench;
    let receiver: HttpReceiver;
    let channel: string;
    let queue: DeliveryQueue;
    /** Added to the wall clock and to that of the limiter. */
    let ahead = 0;
    const limits = DEFAULT_DELIVERY_LIMITS;
    const wallMs = (): number => Date.now() + ahead;
    const makeQueue = (): DeliveryQueue => {
      const limiter = new MemoryLimiter({ steadyMs: () => performance.now() + ahead });
      const find = (project: string, id: string) => bench.directory.find(project, id);
      return make({ bench, wallMs, report: () => undefined, deliver: { limiter, limits, find } });
    };
    const pass = (ms: number): void => {
      ahead += ms;
      queue.wake();
    };
    const settled = (status: string, count = 1) =>
      until(async () => (await bench.statuses())[status] === count, `${count} ${status}`);
    const eventIds = () => receiver.requests.map(({ headers }) => String(headers['webhook-id']));
    const bodies = (): unknown[] => receiver.requests.map(({ body }): unknown => JSON.parse(body));

    beforeEach(async () => {
      ahead = 0;
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

    /** One message about m1 goes out, two more incidents are held back; the last still fires. */
    const holdTwoBack = async (): Promise<Alert> => {
      const first = await bench.fire('m1', { channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await settled('delivered', 1);
      await bench.change(first, { kind: 'resolved', channelIds: [] });
      const second = await bench.fire('m1', { channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await settled('suppressed', 1);
      await bench.change(second, { kind: 'resolved', channelIds: [] });
      const third = await bench.fire('m1', { channelIds: [channel], atMs: wallMs() + 1 });
      pass(2);
      await settled('suppressed', 2);
      return third;
    };

    it('tells when a window ends what it held back, once', async () => {
      await queue.start();
      const last = await holdTwoBack();
      pass(295_000);
      await bench.fire('m2', { channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await settled('delivered', 2);
      expect(receiver.requests).toHaveLength(2);
      pass(10_000);
      await settled('delivered', 3);
      const told = bodies().at(-1);
      expect(told).toMatchObject({ event: 'fired', alert_id: last.id, resolved: false, suppressed_since_last: 1 });
      expect(new Set(eventIds()).size).toBe(3);
      pass(3_600_000);
      await bench.fire('m3', { channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await settled('delivered', 4);
      expect(bodies().at(-1)).not.toHaveProperty('suppressed_since_last');
      expect(await bench.statuses()).toEqual({ delivered: 4, suppressed: 1 });
    });

    it('tells when a window ends that it is over, if that was held back, too', async () => {
      await queue.start();
      const last = await holdTwoBack();
      await bench.change(last, { kind: 'resolved', channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await settled('suppressed', 3);
      pass(305_000);
      await settled('delivered', 2);
      const told = bodies().at(-1);
      expect(told).toMatchObject({ event: 'resolved', alert_id: last.id, resolved: true, suppressed_since_last: 2 });
    });

    it('says that it is over to whom only the end of a window said that it began', async () => {
      await queue.start();
      const last = await holdTwoBack();
      pass(305_000);
      await settled('delivered', 2);
      await bench.change(last, { kind: 'resolved', channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await settled('delivered', 3);
      expect(bodies()).toMatchObject([{ event: 'fired' }, { event: 'fired' }, { event: 'resolved' }]);
    });

    it('says nothing when a window ends, if another message has said it meanwhile', async () => {
      await queue.start();
      const last = await holdTwoBack();
      await bench.change(last, { kind: 'escalated', severity: 'critical', channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await settled('delivered', 2);
      expect(bodies().at(-1)).toMatchObject({ event: 'escalated', suppressed_since_last: 2 });
      pass(305_000);
      await bench.fire('m2', { channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await settled('delivered', 3);
      expect(await bench.statuses()).toEqual({ delivered: 3, suppressed: 2 });
    });

    it('tells after a restart what was held back before it', async () => {
      await queue.start();
      await holdTwoBack();
      await queue.stop(1000);
      queue = makeQueue();
      await queue.start();
      pass(305_000);
      await settled('delivered', 2);
      expect(bodies().at(-1)).toMatchObject({ suppressed_since_last: 1 });
    });

    it('tells what the limit of a channel held back as soon as it has a place, and of what else waits', async () => {
      for (let model = 0; model < limits.channel.max; model += 1)
        await bench.fire(`m${model}`, { channelIds: [channel], atMs: wallMs() });
      await queue.start();
      await settled('delivered', limits.channel.max);
      const lastMs = performance.now() + ahead;
      pass(limits.channel.windowMs / 2);
      const late = 2 * limits.channel.max;
      for (let model = 0; model < late; model += 1)
        await bench.fire(`late${model}`, { channelIds: [channel], atMs: wallMs() });
      queue.wake();
      await settled('suppressed', late);
      // All places are free one window after the last was taken, half a window after the late ones were held back.
      pass(Math.ceil(lastMs + limits.channel.windowMs - performance.now() - ahead));
      await settled('delivered', 2 * limits.channel.max);
      const waiting = bodies().flatMap((body) => Object(body).waiting_models ?? []);
      expect(waiting.length).toBeGreaterThan(0);
      for (const { count, first } of waiting) {
        expect(count).toBeLessThan(late);
        expect(first).toHaveLength(3);
        for (const name of first) expect(name).toMatch(/^late/);
      }
    });

    it('lets out what the limit of a channel held back as that limit allows, and never more', async () => {
      const models = 2 * limits.channel.max + 10;
      for (let model = 0; model < models; model += 1)
        await bench.fire(`m${model}`, { channelIds: [channel], atMs: wallMs() });
      await queue.start();
      await until(async () => !('pending' in (await bench.statuses())), 'an end of the first minute');
      for (let allowed = limits.channel.max; allowed < models; allowed += limits.channel.max) {
        await settled('delivered', allowed);
        expect(receiver.requests).toHaveLength(allowed);
        pass(2 * limits.channel.windowMs);
      }
      await settled('delivered', models);
      expect(receiver.requests).toHaveLength(models);
    });
  });
}
