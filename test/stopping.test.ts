import { describe, expect, test } from 'vitest';
import { inference, model } from './rig/fixtures.js';
import { CAN_RUN_PRODUCTION, openProduction } from './rig/production-platform.js';

describe.skipIf(!CAN_RUN_PRODUCTION)('several instances and workers end in order', () => {
  test('while PostgreSQL is away, and tell what they could not write', { timeout: 300_000 }, async () => {
    const platform = await openProduction({ keys: [{}] });
    const [key] = platform.keys;
    const [instance = ''] = platform.instances;
    const api = platform.clientOf(instance, key);
    await api.must(api.post('models', model('ill', { thresholds: { latency: 100 } })));
    for (const id of ['one', 'two'])
      await api.must(api.post('metrics/inference', inference('ill', id, { latency: 900 })));
    await platform.stack.postgres.kill();
    expect(await platform.stop()).toEqual({ code: 0, signal: null });
    expect(platform.output).toContain('when keys were last used could not be written at the end');
  });
});
