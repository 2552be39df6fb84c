import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeAggregates } from './aggregate.contract.js';
import { aBatch, aDay, aPoint, aSeries, HOUR, NOW } from './point-samples.contract.js';
import type { DriftPoint, Point, PointStore, Position, Range, Series } from './point-store.js';

/** StoreUnderTest is what an adapter's test gives to the contract for each test. */
export interface StoreUnderTest {
  readonly store: PointStore;
  /** Closes the store and opens it again on the same data. */
  readonly reopen: () => Promise<PointStore>;
  /** Closes what is open and removes the data. */
  readonly dispose: () => Promise<void>;
  /** What it occupies is told later: 0 bytes is right at first. */
  readonly isSizeLate?: boolean;
}

/** describePort states what any PointStore does; `open` opens an empty one whose clock stands at NOW. */
export function describePort(open: () => Promise<StoreUnderTest>): void {
  let test: StoreUnderTest;
  let store: PointStore;

  beforeEach(async () => {
    test = await open();
    store = test.store;
  });

  afterEach(() => test.dispose());

  const reopen = async (): Promise<void> => {
    store = await test.reopen();
  };
  const recent = async (range: Range, limit = 10_000): Promise<readonly Point[]> =>
    (await store.recent(range, limit)).items;

  describe('points', () => {
    it('come back exactly as they were accepted, newest first', async () => {
      const series = aSeries({ region: 'eu', 'weird "tag"': 'ü\u0000\n' });
      const full = aPoint(series, 2, NOW - 1000, {
        requestId: 'b',
        latency: 0.1 + 0.2,
        throughput: Number.MAX_VALUE,
        errorRate: -0,
        gpuMemory: Number.MIN_VALUE,
        cpuUsage: 1,
        memoryUsage: 0,
        values: { tokens: -1e-300, 'größe 📏': -0, __proto__x: 5 },
      });
      const bare = aPoint(series, 1, NOW - 2000, { requestId: '' });
      await store.write(aBatch([bare, full]));
      const items = await recent(aDay());
      expect(items).toEqual([full, bare]);
      expect(Object.is(items[0].errorRate, -0)).toBe(true);
      expect(Object.is(items[0].values?.['größe 📏'], -0)).toBe(true);
    });

    it('keep request ids of any alphabet and length apart', async () => {
      const ids = ['', 'plain', 'ÿ', 'Ω', '請求', '👩‍🚀', 'x'.repeat(300), 'nul\u0000', 'line\nbreak'];
      const points = ids.map((requestId, i) => aPoint(aSeries(), i + 1, NOW - 1000 + i, { requestId }));
      await store.write(aBatch(points));
      expect((await recent(aDay())).map((point) => point.requestId)).toEqual(ids.toReversed());
    });

    it('carry custom values only where they were sent', async () => {
      const points = [
        aPoint(aSeries(), 1, NOW - 3, { values: { tokens: 10 } }),
        aPoint(aSeries(), 2, NOW - 2, { values: null }),
        aPoint(aSeries(), 3, NOW - 1, { values: { score: 0.5, tokens: 20 } }),
      ];
      await store.write(aBatch(points));
      expect(await recent(aDay())).toEqual(points.toReversed());
      expect(await store.metricNames('shop', 'ranker')).toEqual(['score', 'tokens']);
      expect(await store.metricNames('shop', 'other')).toEqual([]);
    });

    it('that share a timestamp are ordered by seq, over batches and series', async () => {
      const [a, b] = [aSeries({ shard: 'a' }), aSeries({ shard: 'b' })];
      await store.write(aBatch([aPoint(a, 1, NOW - 5), aPoint(b, 2, NOW - 5), aPoint(a, 3, NOW - 5)]));
      await store.write(aBatch([aPoint(b, 4, NOW - 5), aPoint(a, 5, NOW - 6)]));
      expect((await recent(aDay())).map((point) => point.seq)).toEqual([4, 3, 2, 1, 5]);
    });

    it('arriving late are found where their time puts them', async () => {
      const times = [NOW - 5, NOW - 20 * HOUR, NOW - 1, NOW - 3 * HOUR, NOW - 20 * HOUR - 1];
      for (const [i, time] of times.entries()) await store.write(aBatch([aPoint(aSeries(), i + 1, time)]));
      expect((await recent(aDay())).map((point) => point.seq)).toEqual([3, 1, 4, 2, 5]);
    });

    it('of a range include its start and exclude its end', async () => {
      await store.write(aBatch([1, 2, 3, 4].map((seq) => aPoint(aSeries(), seq, NOW - 10 + seq))));
      const found = await recent(aDay({ sinceMs: NOW - 8, untilMs: NOW - 6 }));
      expect(found.map((point) => point.seq)).toEqual([3, 2]);
      expect(await recent(aDay({ sinceMs: NOW - 5, untilMs: NOW }))).toEqual([]);
    });

    it('are told apart by project, model and tags', async () => {
      const wanted = aSeries({ region: 'eu', tier: 'gold' });
      const others = [
        aSeries({ region: 'eu', tier: 'iron' }),
        aSeries({ tier: 'gold' }),
        aSeries({ region: 'eu', tier: 'gold' }, 'bank'),
        aSeries({ region: 'eu', tier: 'gold' }, 'shop', 'other'),
      ];
      const all = [wanted, ...others].map((series, i) => aPoint(series, i + 1, NOW - 100 + i));
      await store.write(aBatch(all));
      const seqs = async (more: Partial<Range>): Promise<number[]> =>
        (await recent(aDay(more))).map((point) => point.seq);
      expect(await seqs({ tags: { tier: 'gold', region: 'eu' } })).toEqual([1]);
      expect(await seqs({ tags: { region: 'eu' } })).toEqual([2, 1]);
      expect(await seqs({ tags: { toString: 'x' } })).toEqual([]);
      expect(await seqs({ modelId: undefined })).toEqual([5, 3, 2, 1]);
      expect(await seqs({ project: 'bank' })).toEqual([4]);
      expect(await seqs({ project: 'none' })).toEqual([]);
    });

    it('can be walked page by page without a gap or a double, also where times are equal', async () => {
      const series = [aSeries({ shard: 'a' }), aSeries({ shard: 'b' }), aSeries({ shard: 'c' })];
      const points = Array.from({ length: 500 }, (_, i) =>
        aPoint(series[i % 3], i + 1, NOW - 1000 + Math.floor(i / 7)),
      );
      for (let i = 0; i < points.length; i += 60) await store.write(aBatch(points.slice(i, i + 60)));
      const seen: number[] = [];
      let page = await store.recent(aDay(), 37);
      for (;;) {
        seen.push(...page.items.map((point) => point.seq));
        if (!page.next) break;
        page = await store.recent(aDay(), 37, page.next);
      }
      expect(seen).toEqual(points.map((point) => point.seq).toReversed());
    });

    it('that share a ms are in the order of seq where its low digits start again', async () => {
      const points = Array.from({ length: 60 }, (_, i) => aPoint(aSeries(), 1_999_970 + i, NOW - (i < 50 ? 5 : 4)));
      await store.write(aBatch(points));
      for (const limit of [1, 7, 25, 60]) {
        const seen: number[] = [];
        let after: Position | undefined;
        do {
          const page = await store.recent(aDay(), limit, after);
          seen.push(...page.items.map((point) => point.seq));
          after = page.next ?? undefined;
        } while (after);
        expect(seen).toEqual(points.map((point) => point.seq).toReversed());
      }
    });

    it('fill the last page exactly without announcing another', async () => {
      await store.write(aBatch([1, 2, 3, 4].map((seq) => aPoint(aSeries(), seq, NOW - seq))));
      const first = await store.recent(aDay(), 2);
      expect(first.next).toEqual({ timestampMs: NOW - 2, seq: 2 });
      const last = await store.recent(aDay(), 2, first.next ?? undefined);
      expect(last.items.map((point) => point.seq)).toEqual([3, 4]);
      expect(last.next).toBeNull();
    });

    it('are all there after a restart, with the highest seq', async () => {
      expect(store.lastSeq).toBe(0);
      expect(store.newestMs).toBe(-Infinity);
      const points = Array.from({ length: 100 }, (_, i) => aPoint(aSeries(), i + 1, NOW - 200 + i));
      await store.write(aBatch(points.slice(0, 60)));
      await store.write(aBatch(points.slice(60)));
      await reopen();
      expect(store.lastSeq).toBe(100);
      expect(store.newestMs).toBe(NOW - 101);
      expect(await recent(aDay())).toEqual(points.toReversed());
      await store.write(aBatch([aPoint(aSeries(), 101, NOW)]));
      expect((await store.recent(aDay(), 2)).items.map((point) => point.seq)).toEqual([101, 100]);
    });
  });

  describe('drift points', () => {
    it('come back newest first, by page, project, model and tags', async () => {
      const drifts = [1, 2, 3, 4, 5].map((seq): DriftPoint => ({
        project: seq === 5 ? 'bank' : 'shop',
        seq,
        timestampMs: NOW - 100 + Math.floor(seq / 2),
        modelId: seq === 4 ? 'other' : 'ranker',
        driftType: seq % 2 === 0 ? 'data' : 'concept',
        severity: 'critical',
        confidence: 0.1 * seq,
        tags: seq === 1 ? { region: 'eu' } : {},
      }));
      await store.write({ points: [], drifts, records: [] });
      const first = await store.recentDrift(aDay(), 2);
      expect(first.items).toEqual([drifts[2], drifts[1]]);
      const second = await store.recentDrift(aDay(), 2, first.next ?? undefined);
      expect(second).toEqual({ items: [drifts[0]], next: null });
      expect((await store.recentDrift(aDay({ modelId: undefined }), 9)).items).toHaveLength(4);
      expect((await store.recentDrift(aDay({ tags: { region: 'eu' } }), 9)).items).toEqual([drifts[0]]);
      await reopen();
      expect(store.lastSeq).toBe(5);
    });
  });

  describe('idempotency records', () => {
    const record = {
      project: 'shop',
      key: 'k-1',
      fingerprint: 'ab',
      status: 201,
      body: '{"a":"ü\\n"}',
      createdMs: NOW,
    };

    it('are remembered with the points they came with, per project', async () => {
      await store.write({ points: [aPoint(aSeries(), 1, NOW)], drifts: [], records: [record] });
      await reopen();
      expect(await store.findRecord('shop', 'k-1')).toEqual(record);
      expect(await store.findRecord('bank', 'k-1')).toBeNull();
      expect(await store.findRecord('shop', 'k-2')).toBeNull();
    });

    it('are forgotten after 24 hours', async () => {
      await store.write({ points: [], drifts: [], records: [{ ...record, createdMs: NOW - 24 * HOUR }] });
      expect(await store.findRecord('shop', 'k-1')).toBeNull();
    });
  });

  describeAggregates(() => store, reopen);

  describe('a store', () => {
    it('lists the series that sent a point lately', async () => {
      const series = [aSeries({ a: '1' }), aSeries({}, 'bank')];
      await store.write(aBatch(series.map((one, i) => aPoint(one, i + 1, NOW - 5 * HOUR))));
      await reopen();
      const byKey = (a: Series, b: Series): number => (a.key < b.key ? -1 : 1);
      expect([...(await store.activeSeries(NOW - HOUR))].sort(byKey)).toEqual([...series].sort(byKey));
      expect(await store.activeSeries(NOW + HOUR)).toEqual([]);
    });

    it('counts what it holds and answers a ping', async () => {
      await store.write(aBatch([aPoint(aSeries(), 1, NOW), aPoint(aSeries({ a: '1' }), 2, NOW)]));
      await expect(store.ping()).resolves.toBeUndefined();
      expect(await store.stats()).toMatchObject({ points: 2, series: 2 });
      expect((await store.stats()).bytes).toBeGreaterThanOrEqual(test.isSizeLate ? 0 : 1);
    });

    it('takes an empty batch', async () => {
      await expect(store.write(aBatch([]))).resolves.toBeUndefined();
    });

    it('takes writes at once and shows each in any read begun after it', async () => {
      const writes = Array.from({ length: 50 }, async (_, i) => {
        const point = aPoint(aSeries({ n: `${i % 5}` }), i + 1, NOW - 100 + i);
        await store.write(aBatch([point]));
        expect((await recent(aDay())).map(({ seq }) => seq)).toContain(point.seq);
      });
      await Promise.all(writes);
      expect(await recent(aDay())).toHaveLength(50);
    });
  });
}
