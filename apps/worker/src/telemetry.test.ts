import { expect, it } from 'vitest';
import { Telemetry } from './telemetry.js';

it('shows the figures of a worker as they are when they are asked for', async () => {
  const telemetry = new Telemetry();
  let count = 2;
  telemetry.start({
    ...{ sending: () => count, queueDepth: () => null, progressS: () => 1 },
    ...{ localLimits: () => count, limitsForgotten: () => count + 1 },
  });
  await telemetry.registry.metrics();
  count = 3;
  const lines = (await telemetry.registry.metrics()).split('\n');
  for (const line of [
    'tidemark_deliveries_sending 3',
    '# TYPE tidemark_local_limits_total counter',
    'tidemark_local_limits_total 3',
    '# TYPE tidemark_delivery_limits_forgotten_total counter',
    'tidemark_delivery_limits_forgotten_total 4',
    'tidemark_queue_depth Nan',
  ]) {
    expect(lines).toContain(line);
  }
});
