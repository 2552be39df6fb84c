import { describe, expect, it } from 'vitest';
import { ManualClock } from '../rig/manual-clock.js';
import type { Series } from '../store/point-store.js';
import { SeriesRegistry } from './series-registry.js';
import { SharedSeries } from './shared-series.js';

const metric = (id: string) =>
  ({ model_id: 'm', model_type: 'llm', request_id: 'r', latency: 1, tags: { id } }) as const;

/** Two instances with room for two series each, the first of which is full; `stored` is what both have stored. */
function instances() {
  const clock = new ManualClock();
  const stored: Series[] = [];
  const take = (registry: SeriesRegistry, id: string): boolean => {
    const outcome = registry.resolve('p', metric(id), clock.wallMs());
    if (outcome.ok) stored.push(outcome.series);
    return outcome.ok;
  };
  const here = new SeriesRegistry({ maxSeries: 2 });
  const there = new SeriesRegistry({ maxSeries: 2 });
  const faults: unknown[] = [];
  let reads = 0;
  const shared = new SharedSeries({
    ...{ registry: here, wallMs: clock.wallMs, steadyMs: clock.steadyMs, onFault: (error) => faults.push(error) },
    read: async () => {
      reads++;
      return stored;
    },
  });
  return { clock, stored, take, here, there, shared, faults, reads: () => reads };
}

describe('SharedSeries', () => {
  it('lets a series of another instance go on past the limit, and no new one', async () => {
    const { take, here, there, shared } = instances();
    take(here, 'a');
    take(here, 'b');
    take(there, 'c');
    expect(take(here, 'c')).toBe(false);
    expect(await shared.learn()).toBe(true);
    expect([take(here, 'c'), take(here, 'd')]).toEqual([true, false]);
  });

  it('reads once for all who wait, and not again at once', async () => {
    const { clock, shared, reads } = instances();
    expect(await Promise.all([shared.learn(), shared.learn(), shared.learn()])).toEqual([true, true, true]);
    expect([await shared.learn(), reads()]).toEqual([false, 1]);
    clock.pass(30_000);
    expect([await shared.learn(), reads()]).toEqual([true, 2]);
  });

  it('tells of a store that does not answer, and refuses as before', async () => {
    const { clock } = instances();
    const faults: unknown[] = [];
    const shared = new SharedSeries({
      ...{ registry: new SeriesRegistry({ maxSeries: 1 }), wallMs: clock.wallMs, steadyMs: clock.steadyMs },
      read: () => Promise.reject(new Error('away')),
      onFault: (error) => faults.push(error),
    });
    expect(await shared.learn()).toBe(false);
    expect(faults).toEqual([new Error('away')]);
  });

  it('waits for no store that hangs', async () => {
    const { clock } = instances();
    let answer: ((series: readonly Series[]) => void) | undefined;
    const shared = new SharedSeries({
      ...{ registry: new SeriesRegistry({ maxSeries: 1 }), wallMs: clock.wallMs, steadyMs: clock.steadyMs },
      read: () => new Promise((resolve) => (answer = resolve)),
      onFault: () => undefined,
    });
    expect(await shared.learn()).toBe(false);
    answer?.([]);
    await shared.close();
  });
});
