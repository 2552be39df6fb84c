import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { aBatch, aDay, aPoint, aSeries, NOW } from '../point-samples.contract.js';
import { StoreFault } from '../store-fault.js';
import { InfluxConnection } from './influx-connection.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';

const A_DAY = 24 * 3_600_000;
const OPTIONS = { token: 'top-secret', org: '', database: 'd', writeTimeoutMs: 300, queryTimeoutMs: 300 };

describe('a write to InfluxDB', () => {
  const server = createServer();
  let connection: InfluxConnection | null = null;
  afterEach(() => {
    connection?.close();
    server.removeAllListeners('request').close();
    server.closeAllConnections();
  });

  async function faultOf(status: number | null, headers: Record<string, string> = {}, body = ''): Promise<StoreFault> {
    server.on('request', (incoming, answer) => {
      incoming.resume();
      if (status !== null) answer.writeHead(status, headers).end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    connection = new InfluxConnection({ ...OPTIONS, url: `http://127.0.0.1:${port}` }, '1');
    const fault: unknown = await connection.write('raw', Buffer.from('m v=1 1\n')).catch((error: unknown) => error);
    if (fault instanceof StoreFault) return fault;
    throw new Error(`no fault but ${String(fault)}`);
  }

  const partial = '{"error":"partial write: points beyond retention policy dropped=1"}';
  const json = { 'content-type': 'application/json' };
  it.each([
    [400, json, partial, 'bad_points', null],
    [400, json, `{"error":"unable to parse 'm,secret=1 ': missing fields"}`, 'bad_points', null],
    [422, json, '{"code":"unprocessable entity","message":"outside retention"}', 'bad_points', null],
    [400, json, `{"code":"invalid","message":"unable to parse 'm,secret=1 ': missing fields"}`, 'bad_points', null],
    [401, json, '{"error":"authorization failed"}', 'unauthorized', null],
    [403, {}, '', 'unauthorized', null],
    [413, {}, '', 'too_large', null],
    [429, { 'retry-after': '5' }, '', 'overloaded', 5000],
    [503, { 'retry-after': '1' }, '', 'overloaded', 1000],
    [503, {}, '', 'overloaded', null],
    [500, json, '{"error":"engine: cache-max-memory-size exceeded: (1/1)"}', 'overloaded', null],
    [500, json, '{"error":"timeout"}', 'overloaded', null],
    [404, json, '{"error":"database not found"}', 'refused', null],
    [500, {}, 'oops', 'refused', null],
  ] as const)('that is answered %d %j %s fails as %s', async (status, headers, body, kind, retryAfterMs) => {
    const fault = await faultOf(status, headers, body);
    expect(fault).toMatchObject({ kind, retryAfterMs, code: 'STORE_FAULT' });
    expect(fault.message).not.toMatch(/secret/);
  });

  it('reads a date in Retry-After', async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    const { retryAfterMs } = await faultOf(503, { 'retry-after': date });
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  it('to a server that hangs fails in time', async () => {
    expect(await faultOf(null)).toMatchObject({ kind: 'timeout' });
  });

  it('to nobody fails as unreachable', async () => {
    connection = new InfluxConnection({ ...OPTIONS, url: 'http://127.0.0.1:9' }, '2');
    await expect(connection.write('raw', Buffer.from('m v=1 1\n'))).rejects.toMatchObject({ kind: 'unreachable' });
  });
});

describe('a query of a server that is silent', () => {
  it('is given up, but not while the server answers anyone', async () => {
    const held: ServerResponse[] = [];
    const server = createServer((incoming, answer) => {
      incoming.resume();
      if (incoming.url?.startsWith('/write')) answer.writeHead(204).end();
      else held.push(answer);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const timeouts = { writeTimeoutMs: A_DAY, queryTimeoutMs: A_DAY, quietTimeoutMs: 2000 };
    const connection = new InfluxConnection({ ...OPTIONS, ...timeouts, url }, '1');
    try {
      const query = connection.query('raw', 'SELECT 1');
      query.catch(() => undefined);
      const silent = sleep(3000);
      let isOver = false;
      void silent.then(() => (isOver = true));
      while (!isOver) {
        await connection.write('raw', Buffer.from('m v=1 1\n'));
        await sleep(20);
      }
      held[0]?.end('{"results":[{}]}');
      expect(await query).toEqual([]);
      await expect(connection.query('raw', 'SELECT 1')).rejects.toMatchObject({ kind: 'timeout' });
    } finally {
      connection.close();
      server.close();
      server.closeAllConnections();
    }
  });
});

describe.skipIf(!canRunInfluxDb())('an InfluxStore whose server fails', { timeout: 60_000 }, () => {
  const rig = influxRig();

  it('keeps what was acknowledged, and works again when the server is back', async () => {
    const server = await rig.start();
    const faults: unknown[] = [];
    const options = { database: 'd', url: server.url, onFault: (fault: unknown) => faults.push(fault) };
    const store = await rig.open({ ...options, writeTimeoutMs: 2000, queryTimeoutMs: 5000 });
    const points = [1, 2, 3, 4].map((seq) => aPoint(aSeries({ n: `${seq}` }), seq, NOW - seq));
    await store.write(aBatch([points[0]]));
    server.pause();
    await expect(store.write(aBatch([points[1]]))).rejects.toMatchObject({ kind: 'timeout' });
    server.resume();
    await store.write(aBatch([points[1]]));
    await server.kill();
    await expect(store.write(aBatch([points[2]]))).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(store.recent(aDay(), 9)).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(store.ping()).rejects.toMatchObject({ kind: 'unreachable' });
    await server.start();
    await store.write(aBatch([points[2], points[3]]));
    expect((await store.recent(aDay(), 9)).items).toEqual(points);
    expect(await store.summary(aDay())).toMatchObject({ totalRequests: 4 });
    await store.close();
    const again = await rig.open(options);
    expect(again.lastSeq).toBe(4);
    expect(await again.summary(aDay())).toMatchObject({ totalRequests: 4 });
    await again.close();
    await server.close();
    expect(faults).toEqual([]);
  }, 60_000);

  it('closes within seconds while the server hangs, and the next holder counts what was left', async () => {
    const server = await rig.start();
    const faults: unknown[] = [];
    const options = { database: 'd', url: server.url, onFault: (fault: unknown) => faults.push(fault) };
    const pace = { flushPoints: 2, flushRequests: 1000, flushMs: 24 * 3_600_000, compactFlushes: 1000 };
    // Times beyond the test's own: only giving up can end it.
    const store = await rig.open({ ...options, pace, writeTimeoutMs: 864_000_000, queryTimeoutMs: 864_000_000 });
    await store.write(aBatch([aPoint(aSeries(), 1, NOW)]));
    await store.write(aBatch([aPoint(aSeries(), 2, NOW)]));
    server.pause();
    await store.close();
    server.resume();
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.every((fault) => fault instanceof StoreFault && fault.kind === 'unreachable')).toBe(true);
    const next = await rig.open({ ...options, pace });
    expect(await next.summary(aDay())).toMatchObject({ totalRequests: 2 });
    await next.close();
    await server.close();
  }, 30_000);

  it('gives up reads soon while the server hangs, and what keeps rollups goes on waiting', async () => {
    const server = await rig.start();
    const faults: unknown[] = [];
    const options = { database: 'd', url: server.url, onFault: (fault: unknown) => faults.push(fault) };
    const pace = { flushPoints: 1, flushRequests: 1000, flushMs: A_DAY, compactFlushes: 1000 };
    let onWorked: () => void = () => undefined;
    const worked = new Promise<void>((resolve) => (onWorked = resolve));
    const store = await rig.open({
      ...{ ...options, pace, onWorked },
      // A read that is not given up for the silence outlives the test.
      ...{ queryTimeoutMs: A_DAY, writeTimeoutMs: A_DAY, quietTimeoutMs: 2000 },
    });
    await store.write(aBatch([aPoint(aSeries(), 1, NOW)]));
    server.pause();
    const patient = store.activeSeries(0);
    const { project, modelId } = aSeries();
    const aggregate = { ...aDay(), metrics: ['latency'], stat: 'mean', windowMs: 3_600_000, groupBy: [] } as const;
    const reads = {
      recent: () => store.recent(aDay(), 9),
      drift: () => store.recentDrift(aDay(), 9),
      aggregate: () => store.aggregate(aggregate),
      summary: () => store.summary(aDay()),
      names: () => store.metricNames(project, modelId),
      record: () => store.findRecord(project, 'k'),
    };
    for (const [name, read] of Object.entries(reads)) {
      const fault: unknown = await read().catch((error: unknown) => error);
      expect([name, fault]).toMatchObject([name, { code: 'STORE_FAULT', kind: 'timeout' }]);
    }
    server.resume();
    expect(await patient).toHaveLength(1);
    await worked;
    expect(faults).toEqual([]);
    for (const read of Object.values(reads)) await read();
    await store.close();
    await server.close();
  });

  it('gives up a write when it is told to, and counts it once when it is sent again', async () => {
    const store = await rig.open({ database: rig.newDatabase() });
    const lines = store.encodeBatch(aBatch([aPoint(aSeries(), 1, NOW)]));
    rig.server().pause();
    const giveUp = new AbortController();
    const given = store.writeLines(lines, giveUp.signal);
    giveUp.abort(new Error('too slow'));
    await expect(given).rejects.toThrow('too slow');
    rig.server().resume();
    await store.writeLines(lines);
    expect(await store.summary(aDay())).toMatchObject({ totalRequests: 1 });
    await store.close();
  });

  it('tells good lines with a bad one among them as bad points', async () => {
    const store = await rig.open({ database: rig.newDatabase() });
    const lines = store.encodeBatch(aBatch([aPoint(aSeries(), 1, NOW)]));
    const broken = Buffer.concat([lines, Buffer.from('inference,writer=0 latency="text",seq=9i 1\n')]);
    await expect(store.writeLines(broken)).rejects.toMatchObject({ kind: 'bad_points' });
    expect((await store.recent(aDay(), 9)).items).toHaveLength(1);
    await store.close();
  });

  it('says nothing of what was in a line that InfluxDB cannot read', async () => {
    const database = rig.newDatabase();
    await (await rig.open({ database })).close();
    const lines = Buffer.from("m,secret='one': v=\nm,secret=two v=1 late\n");
    const fault: unknown = await rig
      .connect(database)
      .write('raw', lines)
      .catch((error: unknown) => error);
    expect(fault).toMatchObject({ kind: 'bad_points', message: expect.stringMatching(/unable to parse/) });
    expect(String(fault)).not.toMatch(/secret/);
  });
});
