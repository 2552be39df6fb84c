import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../rig/random.js';
import { aBatch, aPoint, aSeries, HOUR, NOW } from '../point-samples.contract.js';
import type { DriftPoint, Point } from '../point-store.js';
import type { InfluxStore } from './influx-store.js';
import { markLine, readMarks } from './mark.js';
import { POINTS } from './names.js';
import { expectFigures, wholeHours } from './rig/expect-figures.js';
import { type FaultProxy, openFaultProxy, type Verdict } from './rig/fault-proxy.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';
import type { InfluxPace } from './rollup-schedule.js';

const EAGER: InfluxPace = { flushPoints: 1, flushRequests: 1, flushMs: 0, compactFlushes: 3, retryMs: 0 };
const LAZY: InfluxPace = { flushPoints: Infinity, flushRequests: Infinity, flushMs: HOUR, compactFlushes: 1000 };
const SERIES = ['eu', 'us', 'asia'].map((region) => aSeries({ region }));

/** somePoints are points whose latencies sum up exactly in any order, over three hours, in no order. */
function somePoints(count: number, firstSeq = 1): Point[] {
  return Array.from({ length: count }, (_, i) => {
    const seq = firstSeq + i;
    const latency = 1 + ((seq * 7919) % 4001) / 4;
    return aPoint(SERIES[seq % 3], seq, NOW - ((seq * 104_729) % (3 * HOUR)), { latency });
  });
}

function aDrift(seq: number): DriftPoint {
  const rest = { driftType: 'data', severity: 'low', confidence: 1, tags: {} } as const;
  return { project: 'shop', modelId: 'ranker', seq, timestampMs: NOW, ...rest };
}

describe.skipIf(!canRunInfluxDb())('rollups in InfluxDB', { timeout: 60_000 }, () => {
  const rig = influxRig();
  const range = wholeHours(4);

  /** forgetRaw leaves only rollups: what they say can come from nowhere else. */
  const forgetRaw = (database: string): Promise<void> => rig.admin(database).forget(POINTS);

  const proxied = async (database: string, pace: InfluxPace): Promise<[InfluxStore, FaultProxy, unknown[]]> => {
    const proxy = await openFaultProxy(rig.server().url);
    const faults: unknown[] = [];
    return [await rig.open({ database, pace, url: proxy.url, onFault: (fault) => faults.push(fault) }), proxy, faults];
  };

  const isMark = (body: string): boolean => body.startsWith('mark,') && body.includes('isClean\\":false');

  it('are the same for any number of writers', async () => {
    const database = rig.newDatabase();
    const stores = [await rig.open({ database, pace: EAGER }), await rig.open({ database, pace: EAGER, writer: 1 })];
    const points = somePoints(3000);
    for (let i = 0; i < 30; i++) {
      await stores[i % 2].write(aBatch(points.slice(i * 100, i * 100 + 100)));
      if (i % 10 === 3) await expectFigures(stores[(i + 1) % 2], points.slice(0, i * 100 + 100), range);
    }
    for (const store of stores) await store.close();
    await forgetRaw(database);
    const reader = await rig.open({ database, writer: 2 });
    await expectFigures(reader, points, range);
    await reader.close();
  });

  it('are made by the next holder of the slot when a process died before it flushed', async () => {
    const database = rig.newDatabase();
    const [store, proxy] = await proxied(database, LAZY);
    const points = somePoints(500);
    await store.write(aBatch(points.slice(0, 300)));
    await store.write(aBatch(points.slice(300)));
    await proxy.close();
    const successor = await rig.open({ database, pace: LAZY });
    await expectFigures(successor, points, range);
    const later = somePoints(100, 501);
    await successor.write(aBatch(later));
    await successor.close();
    await forgetRaw(database);
    const reader = await rig.open({ database, writer: 1 });
    await expectFigures(reader, [...points, ...later], range);
    await reader.close();
  });

  it('hold every point that is read back, whatever the order of their times is', async () => {
    const database = rig.newDatabase();
    const [store, proxy] = await proxied(database, LAZY);
    // More than are read at once.
    const random = seededRandom(3);
    const points = somePoints(60_000).map((point) => ({ ...point, timestampMs: NOW - random.below(3 * HOUR) }));
    for (let i = 0; i < points.length; i += 10_000) await store.write(aBatch(points.slice(i, i + 10_000)));
    await proxy.close();
    const successor = await rig.open({ database, pace: LAZY });
    await successor.close();
    await forgetRaw(database);
    const reader = await rig.open({ database, writer: 1 });
    const { groups } = await reader.aggregate({ ...range, metrics: ['latency'], stat: 'count', windowMs: HOUR });
    const counts = groups.flatMap(({ values }) => values.latency ?? []);
    expect(counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(points.length);
    await reader.close();
  });

  it('hold points that were sent between others which came a second time', async () => {
    const database = rig.newDatabase();
    const store = await rig.open({ database, pace: EAGER });
    const points = somePoints(300);
    const [first, between, last] = [0, 100, 200].map((from) => aBatch(points.slice(from, from + 100)));
    const spooled = store.encodeBatch(between);
    const again = [store.encodeBatch(first), store.encodeBatch(last)];
    await store.write(first);
    await store.write(last);
    await store.close();
    const [drainer, proxy] = await proxied(database, LAZY);
    for (const lines of [again[0], spooled, again[1]]) await drainer.writeLines(lines);
    await expectFigures(drainer, points, range);
    await proxy.close();
    const successor = await rig.open({ database, pace: LAZY });
    await expectFigures(successor, points, range);
    await successor.close();
    await forgetRaw(database);
    const reader = await rig.open({ database, writer: 1 });
    await expectFigures(reader, points, range);
    await reader.close();
  });

  it.each(['refuse', 'lose'] as const)(
    'count each point once when a process dies between the rows and the mark (%s)',
    async (verdict) => {
      const database = rig.newDatabase();
      const [store, proxy] = await proxied(database, EAGER);
      const reader = await rig.open({ database, writer: 1 });
      const first = somePoints(400);
      await store.write(aBatch(first));
      const refused = new Promise<void>((resolve) => {
        proxy.judge = ({ body }): Verdict => {
          if (!isMark(body)) return 'pass';
          resolve();
          return verdict;
        };
      });
      const second = somePoints(400, 401);
      await store.write(aBatch(second));
      await refused;
      await expectFigures(reader, [...first, ...second], range);
      await proxy.close();
      const successor = await rig.open({ database, pace: EAGER });
      await expectFigures(reader, [...first, ...second], range);
      const third = somePoints(100, 801);
      await successor.write(aBatch(third));
      await successor.close();
      await forgetRaw(database);
      await expectFigures(reader, [...first, ...second, ...third], range);
      await reader.close();
    },
  );

  it('count each point once after a backup whose mark is older than its rows', async () => {
    const database = rig.newDatabase();
    const [store, proxy] = await proxied(database, { ...EAGER, compactFlushes: 1 });
    const connection = rig.connect(database);
    const points = somePoints(500);
    const write = async (batch: readonly Point[], flushes: number): Promise<void> => {
      await store.write(aBatch(batch));
      await expect.poll(async () => (await readMarks(connection))[0]?.flush, { timeout: 20_000 }).toBe(flushes);
      await expect.poll(async () => (await readMarks(connection))[0]?.hours.isEmpty, { timeout: 20_000 }).toBe(true);
    };
    await write(points.slice(0, 100), 1);
    const [saved] = await readMarks(connection);
    for (let i = 1; i < 5; i++) await write(points.slice(i * 100, i * 100 + 100), i + 1);
    await proxy.close();
    await rig.admin(database).empty('meta');
    await connection.write('meta', Buffer.from(markLine(saved)));

    const successor = await rig.open({ database, pace: { ...EAGER, compactFlushes: 1 } });
    await expectFigures(successor, points, range);
    const later = somePoints(100, 501);
    await successor.write(aBatch(later));
    await expectFigures(successor, [...points, ...later], range);
    await successor.close();
    await forgetRaw(database);
    const reader = await rig.open({ database, writer: 1 });
    await expectFigures(reader, [...points, ...later], range);
    await reader.close();
  });

  it('count lines that another process drains, however often and under whatever slot', async () => {
    const database = rig.newDatabase();
    const [one, other] = [
      await rig.open({ database, pace: LAZY }),
      await rig.open({ database, pace: EAGER, writer: 1 }),
    ];
    const points = somePoints(600);
    await one.write(aBatch(points.slice(0, 300)));
    const spooled = one.encodeBatch(aBatch(points.slice(300)));
    await one.writeLines(one.encodeBatch(aBatch(points.slice(0, 300))));
    await other.writeLines(spooled);
    await expectFigures(one, points, range);
    await other.close();
    await one.writeLines(spooled);
    await one.close();
    await forgetRaw(database);
    const reader = await rig.open({ database, writer: 2 });
    await expectFigures(reader, points, range);
    await reader.close();
  });

  it.each(['write', 'writeLines'] as const)(
    'count what %s sends after so many points, and do not read it back',
    async (way) => {
      const [store, proxy] = await proxied(rig.newDatabase(), { ...LAZY, flushPoints: 250 });
      let [isRead, isCounted] = [false, false];
      proxy.judge = ({ path, body }): Verdict => {
        if (path.startsWith('/query') && decodeURIComponent(body).includes('FROM "inference"')) isRead = true;
        if (body.startsWith('mark,') && body.includes('0:1-300')) isCounted = true;
        return 'pass';
      };
      const points = somePoints(300);
      for (let i = 0; i < 300; i += 100) {
        const batch = aBatch(points.slice(i, i + 100));
        await (way === 'write' ? store.write(batch) : store.writeLines(store.encodeBatch(batch)));
      }
      await expect.poll(() => isCounted, { timeout: 10_000 }).toBe(true);
      expect(isRead).toBe(false);
      await store.close();
      await proxy.close();
    },
  );

  it('survive any order of lost requests and lost answers', async () => {
    const database = rig.newDatabase();
    const points: Point[] = [];
    let chance = 1;
    const random = (): number => (chance = (chance * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let life = 0; life < 4; life++) {
      const [store, proxy] = await proxied(database, EAGER);
      proxy.judge = ({ path }): Verdict => {
        if (!/^\/(api\/v2\/)?write/.test(path) || random() > 0.3) return 'pass';
        return random() < 0.5 ? 'refuse' : 'lose';
      };
      for (let round = 0; round < 12; round++) {
        const batch = somePoints(40, points.length + 1);
        const lines = store.encodeBatch(aBatch(batch));
        let [isStored, tries] = [false, 0];
        while (!isStored && tries++ < 100) {
          isStored = await store.writeLines(lines).then(
            () => true,
            () => false,
          );
        }
        expect(isStored).toBe(true);
        points.push(...batch);
      }
      await expectFigures(store, points, range);
      await proxy.close();
    }
    const successor = await rig.open({ database, pace: EAGER });
    await successor.close();
    await forgetRaw(database);
    const reader = await rig.open({ database, writer: 1 });
    await expectFigures(reader, points, range);
    await reader.close();
  });

  it('by the hour hold what the rows by the minute said, which may then be gone', async () => {
    const database = rig.newDatabase();
    const store = await rig.open({ database, pace: { ...EAGER, compactFlushes: 1 } });
    const points = somePoints(300);
    for (let i = 0; i < 300; i += 100) await store.write(aBatch(points.slice(i, i + 100)));
    await store.close();
    // What the last flush added to the rows by the minute is compacted with the first flush of the next holder.
    const next = await rig.open({ database, pace: { ...EAGER, compactFlushes: 1 } });
    const connection = rig.connect(database);
    await next.write({ points: [], drifts: [aDrift(301)], records: [] });
    await expect
      .poll(async () => (await readMarks(connection)).every(({ hours }) => hours.isEmpty), { timeout: 20_000 })
      .toBe(true);
    for (const shelf of ['raw', 'minute'] as const) await rig.admin(database).empty(shelf);
    const { groups } = await next.aggregate({ ...range, metrics: ['latency'], stat: 'count', windowMs: HOUR });
    expect(groups[0].values.latency.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBe(300);
    await next.close();
  });

  it('need five sockets, four for writes and one for what is read back', async () => {
    const [store, proxy] = await proxied(rig.newDatabase(), EAGER);
    await Promise.all(somePoints(100).map((point) => store.write(aBatch([point]))));
    await store.close();
    expect(proxy.sockets()).toBe(5);
    await proxy.close();
  });
});
