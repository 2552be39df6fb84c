import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Aggregate } from '../store/point-store.js';
import { aggregateText } from './aggregate-text.js';

const METRICS = ['latency', 'a "custom" ü\n one', '__proto__'];
const aValue = fc.oneof(fc.constant(null), fc.double(), fc.integer());
const aTime = fc.integer({ min: 0, max: 4e12 });

const anAggregate: fc.Arbitrary<Aggregate> = fc.array(aTime, { maxLength: 5 }).chain((times) => {
  const column = fc.array(aValue, { minLength: times.length, maxLength: times.length });
  const values = fc
    .tuple(column, column, column)
    .map((columns) => Object.fromEntries(METRICS.map((name, i) => [name, columns[i]])));
  const group = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }));
  return fc.record({ times: fc.constant(times), groups: fc.array(fc.record({ group, values }), { maxLength: 4 }) });
});

describe('aggregateText', () => {
  it('is what JSON.stringify makes of a list of groups, or of the only one', async () => {
    await fc.assert(
      fc.asyncProperty(anAggregate, async (aggregate) => {
        const plain = aggregate.groups.map(({ group, values }) => ({
          group,
          aggregated_metrics: columns(aggregate, values),
        }));
        expect(await aggregateText(aggregate, METRICS, true)).toBe(JSON.stringify({ groups: plain }));
        const [first] = aggregate.groups;
        const only = { aggregated_metrics: columns(aggregate, first?.values ?? {}) };
        expect(await aggregateText(aggregate, METRICS, false)).toBe(JSON.stringify(only));
      }),
    );
  });

  it('lets others have their turn while it is put together', async () => {
    const times = Array.from({ length: 1000 }, (_, i) => i * 1000);
    const groups = Array.from({ length: 40 }, (_, i) => ({ group: { id: `${i}` }, values: { latency: times } }));
    let turns = 0;
    const count = (): void => void ((timer = setImmediate(count)), turns++);
    let timer = setImmediate(count);
    const text = await aggregateText({ times, groups }, ['latency'], true);
    clearImmediate(timer);
    expect(JSON.parse(text).groups).toHaveLength(40);
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});

function columns({ times }: Aggregate, values: Aggregate['groups'][number]['values']): object {
  const series = (metric: string): object[] =>
    times.map((ms, i) => ({
      time: new Date(ms).toISOString(),
      value: Object.hasOwn(values, metric) ? values[metric][i] : null,
    }));
  return Object.fromEntries(METRICS.map((metric) => [metric, series(metric)]));
}
