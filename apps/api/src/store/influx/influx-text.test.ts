import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aBatch, aPoint, aSeries, HOUR, NOW } from '../point-samples.contract.js';
import type { Point } from '../point-store.js';
import { anyText } from './rig/any-text.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const anyValues = fc
  .dictionary(anyText, finite, { maxKeys: 2 })
  .map((values) => (Object.keys(values).length === 0 ? null : values));

describe.skipIf(!canRunInfluxDb())('a real InfluxDB', { timeout: 60_000 }, () => {
  const rig = influxRig();

  it('gives back any text and any number exactly, and finds it by it', async () => {
    const database = rig.newDatabase();
    const store = await rig.open({ database });
    let seq = 0;
    const anyPoint = fc
      .tuple(anyText, anyText, fc.dictionary(anyText, anyText, { maxKeys: 3 }), anyText, finite, anyValues)
      .map(([project, model, tags, requestId, latency, values]): Point => {
        return aPoint(aSeries(tags, `p${project}`, model), ++seq, NOW - seq, { requestId, latency, values });
      });
    const points = fc.sample(anyPoint, 400);
    for (let i = 0; i < points.length; i += 100) await store.write(aBatch(points.slice(i, i + 100)));
    for (const point of points) {
      const { project, modelId, tags } = point.series;
      const range = { project, modelId, tags, sinceMs: point.timestampMs, untilMs: point.timestampMs + 1 };
      const { items } = await store.recent(range, 10);
      expect(items).toEqual([point]);
      expect(Object.is(items[0].latency, point.latency)).toBe(true);
    }
    await store.close();
    // Closing flushed: what the rollups say is read back through the same names.
    const reader = await rig.open({ database, writer: 1 });
    for (const { series, latency } of points.slice(0, 50)) {
      const range = { project: series.project, modelId: series.modelId, sinceMs: NOW - HOUR, untilMs: NOW + HOUR };
      const whole = { ...range, metrics: ['latency'], stat: 'max', windowMs: HOUR, groupBy: ['model_id'] } as const;
      const { groups } = await reader.aggregate({ ...whole, tags: series.tags });
      expect(groups.map(({ group }) => group)).toEqual([{ model_id: series.modelId }]);
      const found = groups[0].values.latency.filter((value) => value !== null);
      expect(Math.max(...found)).toBeGreaterThanOrEqual(latency);
    }
    await reader.close();
  }, 120_000);

  it('lets no text of a query mean anything else', async () => {
    const store = await rig.open({ database: rig.newDatabase() });
    await store.write(aBatch([aPoint(aSeries({ a: 'b' }), 1, NOW)]));
    const hostile = ["' OR '1'='1", '" OR "1"="1', "\\' OR 1=1 --", "'; DROP DATABASE x; --", '/.*/', '\n', '%', '\\'];
    const range = { project: 'shop', modelId: 'ranker', sinceMs: NOW - HOUR, untilMs: NOW + HOUR };
    for (const text of hostile) {
      for (const more of [{ project: text }, { modelId: text }, { tags: { a: text } }, { tags: { [text]: 'b' } }]) {
        expect((await store.recent({ ...range, ...more }, 9)).items).toEqual([]);
        expect(await store.summary({ ...range, ...more })).toMatchObject({ totalRequests: 0 });
      }
      expect(await store.metricNames('shop', text)).toEqual([]);
      expect(await store.findRecord('shop', text)).toBeNull();
      const query = { ...range, metrics: [text], groupBy: [text], stat: 'p50', windowMs: HOUR } as const;
      const { groups } = await store.aggregate(query);
      expect(groups.map(({ group }) => group)).toEqual([{ [text]: '' }]);
    }
    expect((await store.recent(range, 9)).items).toHaveLength(1);
    await store.close();
  }, 60_000);

  it('keeps strings of 64 KB and tags of any length that is let in', async () => {
    const store = await rig.open({ database: rig.newDatabase() });
    const long = '🚀"\\\n'.repeat(16_384);
    const point = aPoint(aSeries({ ['k'.repeat(256)]: 'ü'.repeat(256) }), 1, NOW, { requestId: long });
    const record = { project: 'shop', key: 'k', fingerprint: 'f', status: 201, body: long, createdMs: NOW };
    await store.write({ points: [point], drifts: [], records: [record] });
    const range = { project: 'shop', sinceMs: NOW - HOUR, untilMs: NOW + HOUR };
    expect((await store.recent(range, 9)).items).toEqual([point]);
    expect(await store.findRecord('shop', 'k')).toEqual(record);
    await store.close();
  });

  it('keeps points apart whose sequence numbers end alike or pass a million within one ms', async () => {
    const [store, other] = [await rig.open({ database: 'apart' }), await rig.open({ database: 'apart', writer: 1 })];
    const points = [999_998, 999_999, 1_000_000, 1_000_001, 1_000_002].map((seq) => aPoint(aSeries(), seq, NOW));
    await store.write(aBatch(points));
    await other.write(aBatch([points[2]]));
    const range = { project: 'shop', sinceMs: NOW, untilMs: NOW + 1 };
    const seen: number[] = [];
    let page = await store.recent(range, 2);
    for (;;) {
      seen.push(...page.items.map(({ seq }) => seq));
      if (!page.next) break;
      page = await store.recent(range, 2, page.next);
    }
    expect(seen).toEqual([1_000_002, 1_000_001, 1_000_000, 1_000_000, 999_999, 999_998]);
    await store.close();
    await other.close();
  });
});
