import { type Stat, STATS } from '@tidemark/types';
import { describe, expect, it } from 'vitest';
import { mostGroups } from './answer-room.js';
import { aBatch, aDay, aPoint, aSeries, HOUR, MINUTE, NOW } from './point-samples.contract.js';
import type { Aggregate, AggregateQuery, Point, PointStore } from './point-store.js';

const METRICS = ['latency', 'throughput', 'error_rate', 'gpu_memory', 'cpu_usage', 'memory_usage'];

/** describeAggregates states what any PointStore answers to aggregate and summary; part of describePort. */
export function describeAggregates(store: () => PointStore, reopen: () => Promise<void>): void {
  describe('aggregates', () => {
    const ask = (more: Partial<AggregateQuery> = {}): AggregateQuery => ({
      ...aDay(),
      metrics: ['latency'],
      stat: 'mean',
      windowMs: HOUR,
      ...more,
    });

    it('agree with the points in every window, for any stat, range and width', async () => {
      const series = ['eu', 'us', 'asia'].map((region) => aSeries({ region }));
      const points = Array.from({ length: 6000 }, (_, i) => {
        const spread = noise(i);
        return aPoint(series[i % 3], i + 1, NOW - Math.floor(noise(i + 7) * 5 * HOUR), {
          latency: Math.round(10 + 1000 * spread ** 4) / 4,
          errorRate: i % 11 === 0 ? 0.5 : i % 3 === 0 ? null : 0,
          values: i % 5 === 0 ? { tokens: Math.round(spread * 4000) - 2000 } : null,
        });
      });
      for (let i = 0; i < points.length; i += 500) await store().write(aBatch(points.slice(i, i + 500)));
      const metrics = ['latency', 'error_rate', 'tokens', 'gpu_memory'];
      const ranges = [
        { sinceMs: NOW - 5 * HOUR, untilMs: NOW + 1 },
        { sinceMs: NOW - 4 * HOUR - 123_456, untilMs: NOW - 77_777 },
        { sinceMs: NOW - 2 * HOUR + 1, untilMs: NOW - 2 * HOUR + 30_001 },
      ];
      const widths = [10_000, 90_000, MINUTE, 5 * MINUTE, 90 * MINUTE, HOUR, 6 * HOUR];
      for (const range of ranges) {
        for (const windowMs of widths) {
          for (const stat of STATS) {
            const query = ask({ ...range, windowMs, stat, metrics });
            expectSame(await store().aggregate(query), expected(points, query), query);
          }
        }
      }
    });

    it('split by tags and by model, a missing tag counting as empty', async () => {
      const series = [
        aSeries({ region: 'eu', tier: 'a' }),
        aSeries({ region: 'us', tier: 'a' }),
        aSeries({ tier: 'b' }),
        aSeries({ region: 'eu' }, 'shop', 'other'),
        aSeries({ region: 'eu' }, 'bank', 'ranker'),
      ];
      const points = series.map((one, i) => aPoint(one, i + 1, NOW - 1000, { latency: 2 ** i }));
      await store().write(aBatch(points));
      const sums = async (more: Partial<AggregateQuery>): Promise<unknown> => {
        const query = ask({ stat: 'sum', windowMs: 48 * HOUR, modelId: undefined, ...more });
        const { groups } = await store().aggregate(query);
        return groups.map(({ group, values }) => [group, values.latency.find((value) => value !== null)]);
      };
      expect(await sums({})).toEqual([[{}, 15]]);
      expect(await sums({ groupBy: ['model_id'] })).toEqual([
        [{ model_id: 'other' }, 8],
        [{ model_id: 'ranker' }, 7],
      ]);
      expect(await sums({ groupBy: ['region'], modelId: 'ranker' })).toEqual([
        [{ region: '' }, 4],
        [{ region: 'eu' }, 1],
        [{ region: 'us' }, 2],
      ]);
      expect(await sums({ groupBy: ['region', 'model_id'], tags: { region: 'eu' } })).toEqual([
        [{ region: 'eu', model_id: 'other' }, 8],
        [{ region: 'eu', model_id: 'ranker' }, 1],
      ]);
      expect(await sums({ tags: { tier: 'a' } })).toEqual([[{}, 3]]);
      expect(await sums({ groupBy: ['region'], sinceMs: NOW, untilMs: NOW + HOUR })).toEqual([]);
    });

    it('of nothing are windows without values', async () => {
      const answer = await store().aggregate(ask({ sinceMs: NOW - HOUR - 1, untilMs: NOW, stat: 'p99' }));
      expect(answer).toEqual({
        times: [NOW - 2 * HOUR, NOW - HOUR],
        groups: [{ group: {}, values: { latency: [null, null] } }],
      });
      const empty = await store().aggregate(ask({ sinceMs: NOW, untilMs: NOW, groupBy: ['model_id'] }));
      expect(empty).toEqual({ times: [], groups: [] });
    });

    it('of more groups than an answer has room for are refused, by those that have points in the range', async () => {
      const query = ask({ windowMs: MINUTE, sinceMs: NOW - 5 * HOUR, untilMs: NOW, metrics: METRICS, groupBy: ['id'] });
      const room = mostGroups(query);
      expect(room).toBe(55);
      const inRange = Array.from({ length: room + 1 }, (_, i) =>
        aPoint(aSeries({ id: `${i}` }), i + 1, NOW - 1000 * i - 1),
      );
      const before = Array.from({ length: 100 }, (_, i) =>
        aPoint(aSeries({ id: `old ${i}` }), 1000 + i, query.sinceMs - HOUR - i),
      );
      await store().write(aBatch([...inRange.slice(1), ...before]));
      expect((await store().aggregate(query)).groups).toHaveLength(room);
      await store().write(aBatch(inRange.slice(0, 1)));
      await expect(store().aggregate(query)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' });
      await reopen();
      await expect(store().aggregate({ ...query, stat: 'p95' })).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' });
      expect((await store().aggregate({ ...query, windowMs: HOUR })).groups).toHaveLength(room + 1);
      expect((await store().aggregate({ ...query, groupBy: ['model_id'] })).groups).toHaveLength(1);
    });

    it('of a single group that is too large are refused, whether it has points or not', async () => {
      const seconds = ask({ windowMs: 1000, sinceMs: NOW - 28 * HOUR, untilMs: NOW });
      await expect(store().aggregate(seconds)).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' });
      expect((await store().aggregate({ ...seconds, sinceMs: NOW - 27 * HOUR })).times).toHaveLength(27 * 3600);
    });

    it('count each point once while more arrive, late ones too, and after a restart', async () => {
      const series = aSeries();
      let count = 0;
      const query = ask({ stat: 'count', windowMs: HOUR, sinceMs: NOW - 3 * HOUR, untilMs: NOW });
      for (let round = 0; round < 30; round++) {
        const points = Array.from({ length: 40 }, (_, i) =>
          aPoint(series, ++count, NOW - 1 - ((i * round * 7919) % HOUR) * 3),
        );
        await store().write(aBatch(points));
        if (round === 15) await reopen();
        const { groups } = await store().aggregate(query);
        const total = groups[0].values.latency.reduce<number>((sum, value) => sum + (value ?? 0), 0);
        expect(total).toBe(count);
      }
    });
  });

  describe('a summary', () => {
    it('tells requests, means and percentiles of a range', async () => {
      const points = Array.from({ length: 1000 }, (_, i) =>
        aPoint(aSeries({ shard: `${i % 4}` }), i + 1, NOW - 2 * HOUR + i * 5000, {
          latency: i + 1,
          errorRate: i % 2 === 0 ? 0.1 : null,
        }),
      );
      await store().write(aBatch(points));
      const summary = await store().summary(aDay());
      expect(summary).toMatchObject({ totalRequests: 1000, averageLatency: 500.5 });
      expect(summary.errorRate).toBeCloseTo(0.1, 12);
      expect(summary.p95Latency).toBeGreaterThan(950 * 0.99);
      expect(summary.p95Latency).toBeLessThan(951 * 1.01);
      expect(summary.p99Latency).toBeGreaterThan(990 * 0.99);
      expect(summary.p99Latency).toBeLessThan(991 * 1.01);
      expect(await store().summary(aDay({ tags: { shard: '1' } }))).toMatchObject({
        totalRequests: 250,
        errorRate: null,
      });
      expect(
        await store().summary(aDay({ sinceMs: NOW - 2 * HOUR + 1, untilMs: NOW - 2 * HOUR + 10_001 })),
      ).toMatchObject({
        totalRequests: 2,
      });
    });

    it('of nothing has no means', async () => {
      expect(await store().summary(aDay())).toEqual({
        totalRequests: 0,
        averageLatency: null,
        errorRate: null,
        p95Latency: null,
        p99Latency: null,
      });
    });
  });
}

/** noise is a fixed number in 0..1 for each i, that jumps about. */
function noise(i: number): number {
  const x = Math.sin(i * 12.9898 + 4.1414) * 43758.5453;
  return x - Math.floor(x);
}

/** expected reduces the points of a query's range the plain way. */
function expected(points: readonly Point[], query: AggregateQuery): Aggregate {
  const first = Math.floor(query.sinceMs / query.windowMs);
  const count = Math.ceil(query.untilMs / query.windowMs) - first;
  const inRange = points.filter((point) => point.timestampMs >= query.sinceMs && point.timestampMs < query.untilMs);
  const values = query.metrics.map((metric): [string, (number | null)[]] => {
    const windows = Array.from({ length: count }, (): number[] => []);
    for (const point of inRange) {
      const value = valueOf(point, metric);
      if (value !== null) windows[Math.floor(point.timestampMs / query.windowMs) - first].push(value);
    }
    return [metric, windows.map((window) => reduceExactly(window, query.stat))];
  });
  return {
    times: Array.from({ length: count }, (_, i) => (first + i) * query.windowMs),
    groups: [{ group: {}, values: Object.fromEntries(values) }],
  };
}

function valueOf(point: Point, metric: string): number | null {
  if (metric === 'latency') return point.latency;
  return metric === 'error_rate' ? point.errorRate : (point.values?.[metric] ?? null);
}

function reduceExactly(values: number[], stat: Stat): number | null {
  if (values.length === 0) return null;
  const sum = values.reduce((total, value) => total + value, 0);
  if (stat === 'count') return values.length;
  if (stat === 'sum') return sum;
  if (stat === 'mean') return sum / values.length;
  if (stat === 'min') return Math.min(...values);
  if (stat === 'max') return Math.max(...values);
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.ceil((Number(stat.slice(1)) * sorted.length) / 100) - 1];
}

/** expectSame compares exactly, but percentiles to 1% of the value at their rank. */
function expectSame(actual: Aggregate, wanted: Aggregate, query: AggregateQuery): void {
  const about = JSON.stringify(query);
  if (!query.stat.startsWith('p')) {
    expect(actual, about).toEqual(wanted);
    return;
  }
  expect(actual.times, about).toEqual(wanted.times);
  for (const metric of query.metrics) {
    const found = actual.groups[0].values[metric];
    wanted.groups[0].values[metric].forEach((value, i) => {
      if (value === null) expect(found[i], about).toBeNull();
      else expect(Math.abs((found[i] ?? NaN) - value), about).toBeLessThanOrEqual(Math.abs(value) * 0.0101);
    });
  }
}
