import { expect, it, onTestFinished } from 'vitest';
import { DEFAULT_DELIVERY_LIMITS } from '../limit/delivery-limits.js';
import { MemoryLimiter } from '../limit/memory-limiter.js';
import { openHttpReceiver } from '../rig/http-receiver.js';
import { LedgerBench } from '../rig/ledger-bench.js';
import { Carrier } from './carrier.js';
import type { QueueReport } from './delivery-queue.js';

it('holds back what a full channel refused, also where the rest that is due cannot be told to wait', async () => {
  const bench = await LedgerBench.open();
  const receiver = await openHttpReceiver();
  onTestFinished(async () => {
    await receiver.close();
    await bench.close();
  });
  const channel = await bench.addWebhook(receiver.url);
  let now = 1000;
  const reports: QueueReport[] = [];
  const limits = DEFAULT_DELIVERY_LIMITS;
  const steadyMs = (): number => performance.now();
  const find = (project: string, id: string) => bench.directory.find(project, id);
  const carrier = new Carrier(
    {
      outbox: bench.outbox,
      deliver: { limiter: new MemoryLimiter({ steadyMs }), limits, find },
      disable: (project, id, change) => bench.directory.disable(project, id, change),
      ...{ wallMs: () => now, steadyMs, random: () => 1 },
      report: (report) => reports.push(report),
    },
    { signal: new AbortController().signal, pause: async () => false },
  );
  const refuse = async (model: string): Promise<void> => {
    await bench.fire(model, { channelIds: [channel], atMs: 0 });
    const [delivery] = await bench.outbox.claimDue(now, 1);
    if (delivery === undefined) throw new Error('nothing is due');
    const outcome = { kind: 'suppressed', reason: '', releaseAfterMs: 0, channelLimit: limits.channel } as const;
    await carrier.settle(delivery, outcome, { durationMs: 1 });
  };
  await refuse('m1');
  reports.length = 0;
  // Of two rows of one time the second cannot be written: the mark can, the delay of the other to its time cannot.
  await bench.state.db.schema.createIndex('one_a_time').unique().on('deliveries').column('release_ms').execute();
  now = 2000;
  await refuse('m2');
  expect(await bench.statuses()).toEqual({ suppressed: 2 });
  expect(reports).toMatchObject([
    { kind: 'outcome', status: 'suppressed' },
    { kind: 'fault', during: 'write' },
  ]);
});
