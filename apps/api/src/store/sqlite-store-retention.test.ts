import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aBatch, aPoint, aSeries, HOUR, MINUTE, NOW } from './point-samples.contract.js';
import type { AggregateQuery } from './point-store.js';
import { SqliteStore } from './sqlite-store.js';

const DAY = 24 * HOUR;
const RETENTION = { rawMs: 2 * DAY, minuteMs: 4 * DAY, hourMs: 10 * DAY };
const PACE = { flushPoints: 1, flushMs: 0 };
const ALL = { project: 'shop', modelId: 'ranker', sinceMs: NOW - 13 * DAY, untilMs: NOW + 21 * DAY };

let folder: string;
let nowMs: number;
let store: SqliteStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-retain-'));
  nowMs = NOW;
  await open();
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(): Promise<void> {
  const file = join(folder, 'metrics.db');
  store = await SqliteStore.open({ file, retention: RETENTION, pace: PACE, clock: () => nowMs });
}

/** fillTo stores two points every hour of the days before a time: at minute 0 and at minute 30. */
async function fillTo(endMs: number, days: number): Promise<number> {
  const points = Array.from({ length: days * 48 }, (_, i) => aPoint(aSeries(), i + 1, endMs - (i + 1) * 30 * MINUTE));
  await store.write(aBatch(points));
  return points.length;
}

async function storedPoints(): Promise<number> {
  return (await store.stats()).points;
}

async function count(more: Partial<AggregateQuery>): Promise<number> {
  const { groups } = await store.aggregate({ ...ALL, metrics: ['latency'], stat: 'count', windowMs: HOUR, ...more });
  return groups[0].values.latency.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

describe('retention', () => {
  it('drops raw points, then minutes, then hours, each when the data is that old', async () => {
    await fillTo(NOW, 12);
    await vi.waitFor(async () => expect(await storedPoints()).toBe(2 * 48 + 2), { timeout: 10_000 });
    expect((await store.recent(ALL, 10_000)).items).toHaveLength(2 * 48 + 2);
    await vi.waitFor(async () => expect(await count({})).toBe(10 * 48 + 2), { timeout: 10_000 });
    // Windows of a minute: raw or minutes for 4 days, before that an hour falls to the minute in which it begins.
    const perMinute = await store.aggregate({ ...ALL, metrics: ['latency'], stat: 'count', windowMs: MINUTE });
    const filled = perMinute.groups[0].values.latency.filter((value) => value !== null);
    expect(filled).toEqual([...Array<number>(6 * 24).fill(2), ...Array<number>(4 * 48 + 2).fill(1)]);
    expect(await count({ windowMs: 30_000 })).toBe(10 * 48 + 2);
  });

  it('goes on as newer points arrive, and keeps what is young', async () => {
    await fillTo(NOW, 1);
    nowMs += 5 * DAY;
    await store.write(aBatch([aPoint(aSeries(), 1000, nowMs)]));
    await vi.waitFor(async () => expect(await storedPoints()).toBe(1), { timeout: 10_000 });
    expect((await store.recent(ALL, 10)).items.map((point) => point.seq)).toEqual([1000]);
    expect(await count({ windowMs: DAY })).toBe(49);
    expect(store.lastSeq).toBe(0);
    await store.close();
    await open();
    expect(store.lastSeq).toBe(1000);
  });

  it('is not fooled by a clock that leaps a year ahead', async () => {
    const points = await fillTo(NOW, 2);
    nowMs += 365 * DAY;
    await store.write(aBatch([aPoint(aSeries(), 1000, NOW)]));
    await store.close();
    await open();
    await store.write(aBatch([aPoint(aSeries(), 1001, NOW + 1)]));
    await store.ping();
    expect((await store.recent(ALL, 10_000)).items).toHaveLength(points + 2);
    expect(await storedPoints()).toBe(points + 2);
  });

  it('forgets a series of which nothing is left, and takes it in again when it speaks', async () => {
    const quiet = aSeries({ shard: 'quiet' });
    await store.write(aBatch([aPoint(quiet, 1, NOW)]));
    nowMs += 20 * DAY;
    await store.write(aBatch([aPoint(aSeries(), 2, nowMs)]));
    await vi.waitFor(async () => expect((await store.stats()).series).toBe(1), { timeout: 10_000 });
    expect(await store.activeSeries(0)).toHaveLength(1);
    await store.write(aBatch([aPoint(quiet, 3, nowMs)]));
    const found = await store.recent({ ...ALL, tags: { shard: 'quiet' } }, 10);
    expect(found.items.map((point) => point.seq)).toEqual([3]);
    expect((await store.stats()).series).toBe(2);
  });
});
