import { describe, expect, it, onTestFinished } from 'vitest';
import { aBatch, aDay, aPoint, aSeries, NOW } from '../point-samples.contract.js';
import type { DriftPoint, Page, Position } from '../point-store.js';
import type { InfluxStore } from './influx-store.js';
import { type FaultProxy, openFaultProxy } from './rig/fault-proxy.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';

describe.skipIf(!canRunInfluxDb())('points that InfluxDB is storing just now', { timeout: 60_000 }, () => {
  const rig = influxRig();

  it('are there or not, and never without a latency, a request id or a number', async () => {
    const store = await rig.open({ database: rig.newDatabase() });
    const series = aSeries();
    let isWritten = false;
    const write = async (): Promise<void> => {
      for (let batch = 0; batch < 100; batch++) {
        const seqs = Array.from({ length: 40 }, (_, i) => batch * 40 + i + 1);
        await store.write(
          aBatch(seqs.map((seq) => aPoint(series, seq, NOW - 1, { latency: seq, requestId: `${seq}` }))),
        );
      }
      isWritten = true;
    };
    const read = async (): Promise<void> => {
      while (!isWritten) {
        for (const { seq, latency, requestId } of (await store.recent(aDay(), 10_000)).items) {
          expect({ seq, requestId }).toEqual({ seq: latency, requestId: `${latency}` });
        }
      }
    };
    await Promise.all([write(), read(), read()]);
    expect((await store.recent(aDay(), 10_000)).items).toHaveLength(4000);
    await store.close();
  });
});

describe.skipIf(!canRunInfluxDb())('a ms with many more points than a page', { timeout: 60_000 }, () => {
  const rig = influxRig();

  /** A store of writer 0 and one of writer 1 over one database, and how many rows each query of the first asked for. */
  const openTwo = async (): Promise<{ stores: readonly [InfluxStore, InfluxStore]; asked: number[] }> => {
    const asked: number[] = [];
    const proxy: FaultProxy = await openFaultProxy(rig.server().url);
    proxy.judge = ({ path, body }) => {
      const limit = /FROM "(?:inference|drift)" .* LIMIT (\d+)$/.exec(decodeURIComponent(body));
      if (path.startsWith('/query') && limit) asked.push(Number(limit[1]));
      return 'pass';
    };
    const database = rig.newDatabase();
    const stores = [await rig.open({ database, url: proxy.url }), await rig.open({ database, writer: 1 })] as const;
    onTestFinished(async () => {
      for (const store of stores) await store.close();
      await proxy.close();
    });
    return { stores, asked };
  };

  const walk = async <T>(read: (after?: Position) => Promise<Page<T>>): Promise<T[]> => {
    const items: T[] = [];
    let after: Position | undefined;
    do {
      const page = await read(after);
      items.push(...page.items);
      after = page.next ?? undefined;
    } while (after);
    return items;
  };

  it('is exported once and in order, of two writers in different laps, by queries of about a page each', async () => {
    const { stores, asked } = await openTwo();
    // The laps of the first: 7 and 8; of the second: 1,700,000,000, and 8 with numbers that the first gave too.
    const seqs = [
      Array.from({ length: 15_000 }, (_, i) => 7_990_000 + i),
      [
        ...Array.from({ length: 1000 }, (_, i) => 8_001_500 + i),
        ...Array.from({ length: 9000 }, (_, i) => 1_700_000_000_000_500 + i),
      ],
    ];
    const series = [aSeries({ shard: 'a' }), aSeries({ shard: 'b' }), aSeries({ shard: 'c' })];
    for (const [writer, store] of stores.entries()) {
      const points = seqs[writer].map((seq, i) =>
        aPoint(series[i % 3], seq, NOW - 5, { requestId: `${writer} ${seq}` }),
      );
      for (let i = 0; i < points.length; i += 10_000) await store.write(aBatch(points.slice(i, i + 10_000)));
    }
    await stores[0].write(aBatch([aPoint(series[0], 9_000_000, NOW - 4), aPoint(series[0], 9_000_001, NOW - 6)]));
    const found = await walk((after) => stores[0].recent(aDay(), 1000, after));
    const wanted = [9_000_000, ...seqs.flat().sort((a, b) => b - a), 9_000_001];
    expect(found.map(({ seq }) => seq)).toEqual(wanted);
    expect(new Set(found.map(({ requestId }) => requestId)).size).toBe(25_002);
    expect(Math.max(...asked)).toBeLessThan(1100);
    expect(asked.length).toBeLessThan(2 * 26);
    const tagged = await walk((after) => stores[0].recent(aDay({ tags: { shard: 'b' } }), 1000, after));
    expect(tagged).toEqual(found.filter((point) => point.series.tags['shard'] === 'b'));
    const since = { sinceMs: NOW - 5, untilMs: NOW - 4 };
    expect(await walk((after) => stores[0].recent(aDay(since), 5000, after))).toHaveLength(25_000);
    const below: Position = { timestampMs: NOW - 5, seq: 8_001_500 };
    expect((await stores[0].recent(aDay(since), 2, below)).items.map(({ seq }) => seq)).toEqual([8_001_499, 8_001_498]);
    expect((await stores[0].recent(aDay({ ...since, sinceMs: NOW - 4 }), 2, below)).items).toEqual([]);
  });

  it('is read so of drift too, and points of two writers with one seq stay together where tags select them', async () => {
    const { stores, asked } = await openTwo();
    const aDrift = (seq: number): DriftPoint => ({
      ...{ project: 'shop', modelId: 'ranker', seq, timestampMs: NOW - 5 },
      ...{ driftType: 'data', severity: 'low', confidence: 0.5, tags: { half: `${seq % 2}` } },
    });
    const seqs = Array.from({ length: 3000 }, (_, i) => 1_999_000 + i);
    const drifts = seqs.map(aDrift);
    for (const store of stores) await store.write({ points: [], drifts, records: [] });
    const twice = seqs.toReversed().flatMap((seq) => [seq, seq]);
    const seqsOf = (found: readonly DriftPoint[]): number[] => found.map(({ seq }) => seq);
    expect(seqsOf(await walk((after) => stores[0].recentDrift(aDay(), 501, after)))).toEqual(twice);
    const even = twice.filter((seq) => seq % 2 === 0);
    const range = aDay({ tags: { half: '0' } });
    expect(seqsOf(await walk((after) => stores[0].recentDrift(range, 501, after)))).toEqual(even);
    expect(Math.max(...asked)).toBeLessThan(1100);
  });
});
