import { describeDeliveryQueue } from './delivery-queue.contract.js';
import { OutboxQueue } from './outbox-queue.js';

describeDeliveryQueue(
  'OutboxQueue',
  ({ bench, deliver, wallMs, report }) =>
    new OutboxQueue({
      outbox: bench.outbox,
      deliver,
      disable: (project, id, change) => bench.directory.disable(project, id, change),
      wallMs,
      steadyMs: () => performance.now(),
      random: () => 1,
      report,
    }),
);
