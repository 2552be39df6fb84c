import { canRun } from '@tidemark/servers';
import { describe } from 'vitest';
import { useProduction } from '../rig/production-bench.js';
import { BullMqQueue } from './bullmq-queue.js';
import { describeDeliveryQueue, type QueueParts } from './delivery-queue.contract.js';
import { describeWindowEnd } from './window-end.contract.js';

describe.skipIf(!canRun('postgres', 'redis-server'))('on PostgreSQL and Redis', () => {
  const production = useProduction();
  let queues = 0;

  const make = ({ bench, deliver, wallMs, report }: QueueParts) =>
    new BullMqQueue({
      ...{ outbox: bench.outbox, claims: bench.claims, deliveries: bench.deliveries },
      ...{ producer: production.producer(), worker: production.worker() },
      deliver,
      disable: (project, id, change) => bench.directory.disable(project, id, change),
      wallMs,
      steadyMs: () => performance.now(),
      random: () => 1,
      report,
      holder: 'test',
      prefix: `{contract${(queues += 1)}}`,
    });
  const openBench = async () => (await production.openLedger()).bench;

  describeDeliveryQueue('BullMqQueue', make, {
    openBench,
    abandon: async (bench, nowMs) => {
      const [waiting] = await bench.ledger();
      await bench.claims.claim(waiting?.id ?? '', { nowMs, leaseMs: 45_000, holder: 'dead' });
      return 45_000;
    },
    isAlone: false,
  });
  describeWindowEnd('BullMqQueue', make, { openBench });
});
