import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { InfluxCatalog } from './influx-catalog.js';
import { InfluxConnection } from './influx-connection.js';
import { InfluxStats } from './influx-stats.js';

const FIVE_MINUTES = 5 * 60_000;
const A_DAY = 24 * 3600_000;

describe('InfluxStats', () => {
  const server = createServer();
  let asked = 0;
  let connection: InfluxConnection | null = null;
  afterEach(() => {
    vi.useRealTimers();
    connection?.close();
    server.removeAllListeners('request').close();
    server.closeAllConnections();
  });

  async function statsOf(answer: (path: string) => 'fails' | 'hangs' | 'is empty', generation: '1' | '2' = '1') {
    asked = 0;
    server.on('request', (incoming, outgoing) => {
      asked++;
      incoming.resume();
      const kind = answer(incoming.url ?? '');
      if (kind === 'fails') outgoing.writeHead(503).end();
      if (kind === 'is empty') outgoing.end('{"results":[{"statement_id":0}]}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const timeouts = { writeTimeoutMs: A_DAY, queryTimeoutMs: A_DAY };
    const place = { url: `http://127.0.0.1:${port}`, token: '', org: '', database: 'd' };
    connection = new InfluxConnection({ ...place, ...timeouts }, generation);
    return new InfluxStats(connection, new InfluxCatalog(connection), { generation, database: 'd', org: '' });
  }

  it('asks a server that fails once in five minutes', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const stats = await statsOf(() => 'fails');
    for (let scrape = 0; scrape < 3; scrape++) await expect(stats.read()).rejects.toMatchObject({ kind: 'overloaded' });
    expect(asked).toBe(1);
    vi.advanceTimersByTime(FIVE_MINUTES + 1);
    await expect(stats.read()).rejects.toMatchObject({ kind: 'overloaded' });
    expect(asked).toBe(2);
  });

  it('gives up a server that hangs, and asks it once for all who want to know', async () => {
    const stats = await statsOf(() => 'hangs');
    const readers = Array.from({ length: 3 }, () => stats.read());
    for (const reader of readers) await expect(reader).rejects.toMatchObject({ kind: 'timeout' });
    await expect(stats.read()).rejects.toMatchObject({ kind: 'timeout' });
    expect(asked).toBe(1);
  });

  it('gives up a 2.x that counts and does not tell of its buckets', async () => {
    const stats = await statsOf((path) => (path.startsWith('/api/v2/buckets') ? 'hangs' : 'is empty'), '2');
    await expect(stats.read()).rejects.toMatchObject({ kind: 'timeout' });
  });
});
