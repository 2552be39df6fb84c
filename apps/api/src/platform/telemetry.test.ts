import { ITEM_CODES, type ItemCode, type RejectedItem } from '@tidemark/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IngestOutcome } from '../ingest/ingest.js';
import { Telemetry } from './telemetry.js';

/** The sum of a counter over all its labels. */
async function sumOf(telemetry: Telemetry, name: string): Promise<number> {
  const metric = await telemetry.registry.getSingleMetric(`tidemark_points_${name}_total`)?.get();
  return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
}

describe('Telemetry', () => {
  it('counts a request so that received is stored, rejected and shed together', async () => {
    const codes = Object.keys(ITEM_CODES) as ItemCode[];
    const request = fc
      .record({
        received: fc.integer({ min: 1, max: 50 }),
        kind: fc.constantFrom('accepted', 'invalid', 'full', 'failed', 'closed', 'unraised'),
      })
      .chain(({ received, kind }) => {
        // Of an invalid request every item is rejected, of any other at least one is not; an item may have several faults.
        const indexes = fc.uniqueArray(fc.nat({ max: received - 1 }), { maxLength: received - 1 });
        const all = Array.from({ length: received }, (_, i) => i);
        return fc
          .tuple(
            kind === 'invalid' ? fc.constant(all) : indexes,
            fc.constantFrom(...codes),
            fc.integer({ min: 1, max: 3 }),
          )
          .map(([refused, code, faults]) => {
            const rejected: RejectedItem[] = refused.flatMap((index) =>
              Array<RejectedItem>(faults).fill({ index, code, pointer: '', message: '' }),
            );
            const outcome = {
              kind,
              accepted: received - refused.length,
              rejected,
              retryAfterS: 1,
              cause: null,
            } as IngestOutcome;
            return { received, outcome };
          });
      });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 20 }), async (requests) => {
        const telemetry = new Telemetry();
        for (const { received, outcome } of requests) telemetry.countIngest('inference', outcome, received);
        const [received, stored, rejected, shed] = await Promise.all(
          ['received', 'stored', 'rejected', 'shed'].map((name) => sumOf(telemetry, name)),
        );
        expect(received).toBe(requests.reduce((sum, one) => sum + one.received, 0));
        expect((stored ?? 0) + (rejected ?? 0) + (shed ?? 0)).toBe(received);
      }),
      { numRuns: 200 },
    );
  });

  it('shows what it can while a database is away or hangs', async () => {
    const telemetry = new Telemetry();
    telemetry.start({
      queuedPoints: () => 7,
      deliveriesWaiting: () => Promise.reject(new Error('the database is away')),
      liveClients: () => 0,
      alertsFiring: () => 0,
      limitsForgotten: () => 0,
      store: () => new Promise(() => undefined),
    });
    const lines = (await telemetry.registry.metrics()).split('\n');
    expect(lines).toContain('tidemark_queued_points 7');
    expect(lines).toContain('tidemark_deliveries_waiting Nan');
    expect(lines).toContain('tidemark_store_bytes Nan');
    telemetry.close();
  });

  it('reads its gauges when it is asked, and speaks the format of Prometheus', async () => {
    const telemetry = new Telemetry();
    let [firing, forgotten] = [3, 0];
    telemetry.start({
      queuedPoints: () => 7,
      deliveriesWaiting: async () => 2,
      liveClients: () => 1,
      alertsFiring: () => firing,
      limitsForgotten: () => forgotten,
      store: async () => ({ bytes: 4096, points: 10, series: 1 }),
    });
    [firing, forgotten] = [4, 5];
    telemetry.countCommit(100, 5);
    const text = await telemetry.registry.metrics();
    for (const line of [
      'tidemark_alerts_firing 4',
      'tidemark_queued_points 7',
      '# TYPE tidemark_delivery_limits_forgotten_total counter',
      'tidemark_delivery_limits_forgotten_total 5',
      'tidemark_store_bytes 4096',
      'tidemark_commit_points_sum 100',
      'tidemark_commit_duration_seconds_count 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    forgotten = 6;
    expect(await telemetry.registry.metrics()).toContain('tidemark_delivery_limits_forgotten_total 6');
    telemetry.close();
    expect(await telemetry.registry.metrics()).not.toContain('tidemark');
  });
});
