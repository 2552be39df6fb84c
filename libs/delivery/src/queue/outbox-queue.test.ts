import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryLimiter } from '../limit/memory-limiter.js';
import { openHttpReceiver } from '../rig/http-receiver.js';
import { LedgerBench } from '../rig/ledger-bench.js';
import { until } from '../rig/until.js';
import { describeDeliveryQueue, type QueueParts } from './delivery-queue.contract.js';
import { OutboxQueue } from './outbox-queue.js';
import { describeWindowEnd } from './window-end.contract.js';

const make = ({ bench, deliver, wallMs, report }: QueueParts) =>
  new OutboxQueue({
    outbox: bench.outbox,
    deliver,
    disable: (project, id, change) => bench.directory.disable(project, id, change),
    wallMs,
    steadyMs: () => performance.now(),
    random: () => 1,
    report,
  });

describeDeliveryQueue('OutboxQueue', make);
describeWindowEnd('OutboxQueue', make);

describe('OutboxQueue at its stop', () => {
  it('knows what it aborted as perhaps sent, and what waited for a place as not sent', async () => {
    const bench = await LedgerBench.open();
    onTestFinished(() => bench.close());
    const receiver = await openHttpReceiver();
    onTestFinished(() => receiver.close());
    const channel = await bench.addWebhook(receiver.url);
    const queue = make({
      bench,
      wallMs: Date.now,
      report: () => undefined,
      deliver: {
        limiter: new MemoryLimiter({ steadyMs: () => performance.now() }),
        limits: { subject: { max: 1, windowMs: 300_000 }, channel: { max: 2, windowMs: 60_000 } },
        find: (project, id) => bench.directory.find(project, id),
      },
    });
    const told = await bench.fire('told', { channelIds: [channel] });
    await queue.start();
    await until(async () => (await bench.statuses())['delivered'] === 1, 'a first message');
    receiver.answerWith(() => undefined);
    await bench.fire('hangs', { channelIds: [channel] });
    queue.wake();
    await until(() => receiver.requests.length === 2, 'a message that hangs');
    await bench.change(told, { kind: 'resolved', channelIds: [channel] });
    queue.wake();
    await until(() => queue.stats().postponed === 1, 'one that waits for a place');
    await queue.stop(0);
    expect(await bench.statuses()).toEqual({ delivered: 1, pending: 2 });
    const sends = await bench.outbox.recentSends(0, Date.now());
    expect(sends.map(({ modelId, eventKind, how }) => [modelId, eventKind, how])).toEqual([
      ['told', 'fired', 'ended'],
      ['hangs', 'fired', 'cut_short'],
    ]);
  });
});
