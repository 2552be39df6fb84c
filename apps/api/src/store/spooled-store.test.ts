import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canRun } from '@tidemark/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InfluxStore } from './influx/influx-store.js';
import { influxRig } from './influx/rig/influx-rig.js';
import { DEFAULT_INFLUX_PACE } from './influx/rollup-schedule.js';
import { aBatch, aDay, aPoint, aSeries, NOW } from './point-samples.contract.js';
import { describePort } from './point-store.contract.js';
import type { PointStore } from './point-store.js';
import { SpoolingSink } from './spool/spooling-sink.js';
import { SpooledStore } from './spooled-store.js';

const RECORD = { project: 'shop', key: 'k-1', fingerprint: 'ab', status: 201, body: '{}', createdMs: NOW };

async function spooled(store: PointStore): Promise<{ store: SpooledStore; sink: SpoolingSink }> {
  if (!(store instanceof InfluxStore)) throw new Error('the rig opened another store');
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-spooled-'));
  const sink = await SpoolingSink.open({
    ...{ sink: store, folder, maxBytes: 64 * 1024 * 1024, report: () => undefined },
    ...{ wallMs: Date.now, steadyMs: () => performance.now(), random: Math.random },
  });
  onTestFinished(async () => {
    await sink.close();
    await rm(folder, { recursive: true });
  });
  return { sink, store: new SpooledStore(store, sink, { wallMs: () => NOW, steadyMs: () => performance.now() }) };
}

describe.skipIf(!canRun('influxd'))('SpooledStore over InfluxDB', { timeout: 60_000 }, () => {
  const rig = influxRig();

  describePort(async () => {
    const opened = await rig.openEmpty(DEFAULT_INFLUX_PACE);
    let { store, sink } = await spooled(opened.store);
    return {
      store,
      reopen: async () => {
        await sink.close();
        ({ store, sink } = await spooled(await opened.reopen()));
        return store;
      },
      isSizeLate: opened.isSizeLate,
      dispose: async () => {
        await sink.close();
        await opened.dispose();
      },
    };
  });

  it('knows its own answers and goes on while the server hangs, and counts what it does not know', async () => {
    const opened = await rig.openEmpty(DEFAULT_INFLUX_PACE);
    const { store, sink } = await spooled(opened.store);
    if (!(opened.store instanceof InfluxStore)) throw new Error('the rig opened another store');
    const behind = opened.store;
    onTestFinished(() => opened.dispose());
    await store.write({ points: [aPoint(aSeries(), 1, NOW)], drifts: [], records: [RECORD] });
    rig.server().pause();
    try {
      expect(await store.findRecord('shop', 'k-1')).toEqual(RECORD);
      expect(await store.findRecord('shop', 'never sent')).toBeNull();
      expect(await store.findRecord('shop', 'nor this')).toBeNull();
      expect(store.unknownAnswers).toBe(2);
      await store.write(aBatch([aPoint(aSeries(), 2, NOW)]));
      expect(sink.backlog().points).toBe(1);
      // After a restart now, memory must not answer as if it knew of the point that waits.
      const next = new SpooledStore(behind, sink, { wallMs: () => NOW, steadyMs: () => performance.now() });
      expect(next.newestMs).toBe(Infinity);
    } finally {
      rig.server().resume();
    }
    await expect.poll(() => sink.backlog().points, { timeout: 40_000 }).toBe(0);
    expect((await store.recent(aDay(), 10)).items.map(({ seq }) => seq)).toEqual([2, 1]);
  });
});
