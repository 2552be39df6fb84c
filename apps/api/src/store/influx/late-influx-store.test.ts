import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { influxDbUnderTest } from '@tidemark/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../../rig/wait-for.js';
import { aBatch, aDay, aPoint, aSeries, HOUR, MINUTE, NOW } from '../point-samples.contract.js';
import type { DriftPoint, Point } from '../point-store.js';
import { SpoolingSink } from '../spool/spooling-sink.js';
import { RecordMemory } from '../record-memory.js';
import { SpooledStore } from '../spooled-store.js';
import { InfluxConnection } from './influx-connection.js';
import { LateInfluxStore, type LateInfluxStoreOptions } from './late-influx-store.js';
import type { LateReport } from './late-report.js';
import { POINTS } from './names.js';
import { expectFigures, wholeHours } from './rig/expect-figures.js';
import { influxAdmin } from './rig/influx-admin.js';
import { recordsIn } from './records-in.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';
import type { InfluxPace } from './rollup-schedule.js';

const DAY = 24 * HOUR;
const LAZY: InfluxPace = { flushPoints: Infinity, flushRequests: Infinity, flushMs: HOUR, compactFlushes: 1000 };
const RECORD = { project: 'shop', key: 'k-1', fingerprint: 'ab', status: 201, body: '{}', createdMs: NOW };
const { token, org, generation } = influxDbUnderTest();

interface Late {
  readonly late: LateInfluxStore;
  readonly reports: LateReport[];
}

async function openLate(url: string, given: Partial<LateInfluxStoreOptions> = {}): Promise<Late> {
  const reports: LateReport[] = [];
  const late = await LateInfluxStore.open({
    ...{ url, token, org, database: 'd', writer: 0, clock: () => NOW, patienceMs: 50, pace: LAZY },
    retention: { rawMs: 9000 * DAY, minuteMs: 9000 * DAY, hourMs: 9000 * DAY },
    onFault: () => undefined,
    ...{ tryPace: { firstMs: 10, lastMs: 50 }, steadyMs: () => performance.now(), random: () => 1 },
    report: (report) => reports.push(report),
    ...given,
  });
  onTestFinished(() => late.close());
  return { late, reports };
}

async function spooled(late: LateInfluxStore, folder: string): Promise<{ store: SpooledStore; sink: SpoolingSink }> {
  const records = new RecordMemory();
  const sink = await SpoolingSink.open({
    onFound: (lines) => recordsIn(lines).forEach((record) => records.remember(record)),
    ...{ sink: late, folder, maxBytes: 64 * 1024 * 1024, report: () => undefined },
    ...{ wallMs: Date.now, steadyMs: () => performance.now(), random: Math.random },
  });
  void late.whenOpen().then(() => sink.hurry());
  return {
    sink,
    store: new SpooledStore(late, sink, { wallMs: () => NOW, steadyMs: () => performance.now(), records }),
  };
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-late-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** Points whose latencies sum up exactly in any order, over three hours. */
function somePoints(count: number, firstSeq: number): Point[] {
  return Array.from({ length: count }, (_, i) => {
    const seq = firstSeq + i;
    return aPoint(aSeries({ n: `${seq % 3}` }), seq, NOW - ((seq * 104_729) % (3 * HOUR)), {
      latency: 1 + (seq % 400) / 4,
    });
  });
}

/** Leaves the rollups only. */
async function forgetPoints(url: string): Promise<void> {
  const timeouts = { writeTimeoutMs: 10_000, queryTimeoutMs: 10_000 };
  const connection = new InfluxConnection({ url, token, org, database: 'd', ...timeouts }, generation);
  onTestFinished(() => connection.close());
  await influxAdmin(generation, { connection, database: 'd', org }).forget(POINTS);
}

const aDrift = (seq: number): DriftPoint => {
  const rest = { driftType: 'data', severity: 'low', confidence: 1, tags: {} } as const;
  return { project: 'shop', modelId: 'ranker', seq, timestampMs: NOW, ...rest };
};

describe.skipIf(!canRunInfluxDb())('a LateInfluxStore before InfluxDB', { timeout: 90_000 }, () => {
  const rig = influxRig();

  it('knows at once what a server that is there has', async () => {
    const first = await openLate(rig.server().url, { database: 'there', patienceMs: 30_000 });
    await first.late.write(aBatch([aPoint(aSeries(), 7, NOW - MINUTE)]));
    await first.late.close();
    const { late, reports } = await openLate(rig.server().url, { database: 'there', patienceMs: 30_000 });
    expect([late.isOpen, late.lastSeq, late.newestMs, reports]).toEqual([true, 7, NOW - MINUTE, []]);
  });

  it('takes points without a server, and brings each there once beside those that a crash left uncounted', async () => {
    const server = await rig.start();
    onTestFinished(() => server.close());
    const folder = await newFolder();
    const all = somePoints(900, 1);
    // A life that ends without counting what it stored, and leaves points in the spool, behind those of another slot.
    const before = await openLate(server.url, { patienceMs: 30_000, writer: 1 });
    await before.late.write(aBatch(all.slice(0, 200)));
    const crashed = await spooled(before.late, folder);
    await server.kill();
    const earlier = { ...RECORD, key: 'k-0' };
    await crashed.store.write({ ...aBatch(all.slice(200, 300)), records: [earlier] });
    await crashed.sink.close();
    await before.late.close();

    const { late, reports } = await openLate(server.url);
    const { store, sink } = await spooled(late, folder);
    onTestFinished(() => sink.close());
    expect(late.isOpen).toBe(false);
    for (let at = 300; at < 900; at += 100) await store.write(aBatch(all.slice(at, at + 100)));
    await store.write({ points: [], drifts: [aDrift(901)], records: [RECORD] });
    expect(sink.backlog().points).toBe(701);
    await expect(store.recent(aDay(), 10)).rejects.toMatchObject({ code: 'STORE_FAULT', kind: 'unreachable' });
    await expect(store.summary(aDay())).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(store.ping()).rejects.toMatchObject({ kind: 'unreachable' });
    expect(await store.findRecord('shop', 'k-1')).toEqual(RECORD);
    expect(await store.findRecord('shop', 'k-0')).toEqual(earlier);
    expect([store.lastSeq, store.newestMs]).toEqual([0, Infinity]);

    await server.start();
    await late.whenOpen();
    expect(late.isOpen).toBe(true);
    await waitFor('the spool to be drained', () => sink.backlog().points === 0, 60_000);
    await expectFigures(late, all, wholeHours(4));
    expect((await store.recentDrift(aDay(), 10)).items).toEqual([aDrift(901)]);
    expect((await store.recent(aDay(), 5000)).items).toHaveLength(900);
    await sink.close();
    await late.close();
    expect(reports.map(({ kind }) => kind)).toEqual(['away', 'open']);

    // What was counted when it closed is counted once: without the points the figures are the same.
    const next = await openLate(server.url, { patienceMs: 30_000 });
    expect(next.late.lastSeq).toBe(901);
    expect(await next.late.findRecord('shop', 'k-1')).toEqual(RECORD);
    expect(await next.late.findRecord('shop', 'k-0')).toEqual(earlier);
    await expectFigures(next.late, all, wholeHours(4));
    await next.late.close();
    const other = await openLate(server.url, { patienceMs: 30_000, writer: 1 });
    await other.late.close();
    await forgetPoints(server.url);
    const reader = await openLate(server.url, { patienceMs: 30_000, writer: 2 });
    await expectFigures(reader.late, all, wholeHours(4));
  });

  it('ends at once while it is still waiting for a server that hangs', async () => {
    const server = await rig.start();
    onTestFinished(() => server.close());
    server.pause();
    // Times beyond the test's own: only giving up can end it.
    const { late } = await openLate(server.url, { queryTimeoutMs: 864_000_000, writeTimeoutMs: 864_000_000 });
    expect(late.isOpen).toBe(false);
    await late.close();
    expect(late.isOpen).toBe(false);
    await expect(late.ping()).rejects.toMatchObject({ kind: 'unreachable' });
    server.resume();
  });
});

describe('a LateInfluxStore before a server that says no', () => {
  async function startServer(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('tells of each change once, and keeps lines that a refused statement says nothing about', async () => {
    let answer = { status: 401, body: '{"error":"authorization failed"}' };
    let asked = 0;
    const url = await startServer((request, response) => {
      request.resume();
      asked++;
      if (request.url === '/ping') response.writeHead(204, { 'x-influxdb-version': '1.6.7' }).end();
      else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
    const { late, reports } = await openLate(url);
    const triesMore = async (): Promise<void> => {
      const until = asked + 6;
      await waitFor('some tries more', () => asked >= until);
    };
    await triesMore();
    expect(reports).toMatchObject([{ kind: 'unauthorized', fault: { kind: 'unauthorized' } }]);
    const lines = late.encodeBatch(aBatch([aPoint(aSeries(), 1, NOW)]));
    await expect(late.writeLines(lines)).rejects.toMatchObject({ kind: 'unauthorized' });
    answer = { status: 400, body: '{"error":"error parsing query"}' };
    await triesMore();
    expect(reports.map(({ kind }) => kind)).toEqual(['unauthorized', 'refused']);
    // As `bad_points` a drainer would throw acknowledged lines away.
    await expect(late.writeLines(lines)).rejects.toMatchObject({ kind: 'refused' });
  });
});
