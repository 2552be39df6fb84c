import { describe, expect, it } from 'vitest';
import { aBatch, aPoint, aSeries, HOUR } from '../point-samples.contract.js';
import { POINTS } from './names.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';

const DAY = 24 * HOUR;
const KEPT = { rawMs: 7 * DAY, minuteMs: 30 * DAY, hourMs: 400 * DAY };

describe.skipIf(!canRunInfluxDb())('retention in InfluxDB', { timeout: 60_000 }, () => {
  const rig = influxRig();

  it('is set when the store opens, and set anew when it changes', async () => {
    const database = rig.newDatabase();
    await (await rig.open({ database, retention: KEPT })).close();
    const [anHour, aDay] = [3600, 24 * 3600];
    const lives = { raw: 7 * aDay + anHour, minute: 30 * aDay + anHour, hour: 400 * aDay + anHour, meta: 0 };
    expect(await rig.admin(database).lifetimes()).toEqual(lives);
    await (await rig.open({ database, retention: { ...KEPT, rawMs: 2 * DAY } })).close();
    expect(await rig.admin(database).lifetimes()).toEqual({ ...lives, raw: 2 * aDay + anHour });
  });

  it('refuses points that are older than anything is kept as bad points', async () => {
    const clock = (): number => Date.now();
    const store = await rig.open({ database: rig.newDatabase(), retention: KEPT, clock });
    const old = aBatch([aPoint(aSeries(), 1, Date.now() - 20 * DAY)]);
    await expect(store.write(old)).rejects.toMatchObject({ kind: 'bad_points' });
    await store.close();
  });

  it('hides raw points at once, and lets rollups stand in for them', async () => {
    const database = rig.newDatabase();
    const startMs = Math.floor(Date.now() / HOUR) * HOUR;
    let nowMs = startMs;
    const open = (): ReturnType<typeof rig.open> => rig.open({ database, retention: KEPT, clock: () => nowMs });
    const store = await open();
    const points = [1, 2, 3].map((seq) => aPoint(aSeries({ a: 'b' }), seq, startMs - seq * 7000));
    await store.write(aBatch(points));
    await store.close();
    nowMs = startMs + 8 * DAY;
    const later = await open();
    const range = { project: 'shop', modelId: 'ranker', sinceMs: startMs - HOUR, untilMs: startMs };
    expect((await later.recent(range, 9)).items).toEqual([]);
    expect(await later.summary(range)).toMatchObject({ totalRequests: 3, averageLatency: 2 });
    await rig.admin(database).forget(POINTS);
    const seconds = { ...range, metrics: ['latency'], stat: 'count', windowMs: 10_000 } as const;
    const { groups } = await later.aggregate(seconds);
    expect(groups[0].values.latency.filter((value) => value !== null)).toEqual([3]);
    await later.close();
  });
});
