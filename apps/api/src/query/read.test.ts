import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Rings } from '../buffer/rings.js';
import { NOON } from '../rig/manual-clock.js';
import { aPoint, aSeries } from '../rig/points.js';
import { seededRandom } from '../rig/random.js';
import { SqliteStore } from '../store/sqlite-store.js';
import type { Point, Range } from '../store/point-store.js';
import { createRead, type Read } from './read.js';

const DAY = 86_400_000;
const series = aSeries('m', 'p');
const range = (given: Partial<Range> = {}): Range => ({
  project: 'p',
  modelId: 'm',
  sinceMs: NOON - DAY,
  untilMs: NOON + 1000,
  ...given,
});
const seqs = (items: readonly Point[]) => items.map(({ seq }) => seq);

let folder: string;
let store: SqliteStore;
let rings: Rings;
let read: Read;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-read-'));
  store = await SqliteStore.open({
    file: join(folder, 'metrics.db'),
    retention: { rawMs: 7 * DAY, minuteMs: 30 * DAY, hourMs: 400 * DAY },
    clock: () => NOON,
    onDeath: (error) => {
      throw error;
    },
  });
  rings = new Rings({ points: 16, models: 2, newestStoredMs: NOON - 1000 });
  read = createRead(rings, store);
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

async function take(points: readonly Point[]): Promise<void> {
  await store.write({ points, drifts: [], records: [] });
  rings.remember(points);
}
const pointsAt = (times: readonly number[], first = 1) =>
  times.map((timestampMs, i) => aPoint({ series, seq: first + i, timestampMs }));

describe('read', () => {
  it('answers from memory what memory holds whole', async () => {
    rings.remember(pointsAt([NOON, NOON + 1]));
    expect(seqs((await read(range({ sinceMs: NOON - 999 }), 10)).items)).toEqual([2, 1]);
  });

  it('answers from the store what began before memory did', async () => {
    await store.write({ points: pointsAt([NOON - 5000]), drifts: [], records: [] });
    await take(pointsAt([NOON], 2));
    expect(seqs((await read(range(), 10)).items)).toEqual([2, 1]);
  });

  it('asks the store for all models, for tags, and for models that memory does not know', async () => {
    await take([...pointsAt([NOON]), aPoint({ series: aSeries('n', 'p'), seq: 2, timestampMs: NOON })]);
    const newest = { sinceMs: NOON - 10 };
    expect(seqs((await read(range({ ...newest, modelId: undefined }), 10)).items)).toEqual([2, 1]);
    expect(seqs((await read(range({ ...newest, tags: { region: 'eu' } }), 10)).items)).toEqual([]);
    expect(seqs((await read(range({ ...newest, modelId: 'unknown' }), 10)).items)).toEqual([]);
  });

  it('walks from memory into the store without repeating or leaving out a point', async () => {
    const points = pointsAt(Array.from({ length: 100 }, (_, i) => NOON - 900 + Math.floor(i / 3)));
    for (let i = 0; i < points.length; i += 7) await take(points.slice(i, i + 7));
    const seen: number[] = [];
    for (let after = undefined, more = true; more;) {
      const page = await read(range(), 5, after);
      seen.push(...seqs(page.items));
      after = page.next ?? undefined;
      more = page.next !== null;
    }
    expect(seen).toEqual(seqs(points).reverse());
  });

  it('never answers otherwise than the store would', async () => {
    const random = seededRandom(7);
    let seq = 0;
    for (let round = 0; round < 40; round++) {
      const drawn = Array.from({ length: 1 + random.below(6) }, () =>
        aPoint({ series, seq: ++seq, timestampMs: NOON - 900 + round * 10 - random.below(40) }),
      );
      await take(drawn);
      for (let i = 0; i < 5; i++) {
        const sinceMs = NOON - 950 + random.below(500);
        const asked = range({ sinceMs, untilMs: sinceMs + 1 + random.below(500) });
        const limit = 1 + random.below(20);
        const after =
          random.below(2) === 0 ? undefined : { timestampMs: sinceMs + random.below(300), seq: random.below(seq) };
        expect(await read(asked, limit, after)).toEqual(await store.recent(asked, limit, after));
      }
    }
  });
});
