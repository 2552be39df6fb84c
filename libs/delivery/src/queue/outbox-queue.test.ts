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
