import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DropReport, RejectReport } from './reporter.js';
import { ClientBench, recordMany } from './rig/client-bench.js';
import { waitFor } from './rig/wait-for.js';

let bench: ClientBench;

beforeEach(async () => {
  bench = await ClientBench.open();
});

afterEach(() => bench.close());

describe('what becomes of a batch', () => {
  it('counts as accepted no more than the server says it took', async () => {
    const client = bench.connect();
    bench.server.turns.push({ do: 'answer', status: 201, body: { accepted: 1, rejected: [] } });
    recordMany(client, 3);
    await client.flush();
    expect(client.stats()).toMatchObject({ accepted: 1, rejected: 2, rejectedBy: { unexplained: 2 }, inFlight: 0 });
  });

  it('tells which points the server refused and why', async () => {
    const reports: RejectReport[] = [];
    const client = bench.connect({ onReject: (report) => reports.push(report) });
    bench.server.turns.push({ do: 'store', reject: [1] });
    recordMany(client, 3);
    await client.flush();
    expect(client.stats()).toMatchObject({ accepted: 2, rejected: 1, rejectedBy: { out_of_range: 1 } });
    const point: unknown = expect.objectContaining({ request_id: 'r1' });
    expect(reports).toEqual([
      {
        kind: 'inference',
        status: 207,
        count: 1,
        items: [{ code: 'out_of_range', pointer: '/metrics/1/latency', message: 'must be lower', point }],
      },
    ]);
  });

  it('counts a batch of which nothing was taken as rejected', async () => {
    const client = bench.connect();
    bench.server.turns.push({ do: 'store', reject: [0, 1] });
    recordMany(client, 2);
    await client.flush();
    expect(client.stats()).toMatchObject({ accepted: 0, rejected: 2, rejectedBy: { out_of_range: 2 } });
  });

  it('counts a refusal of the whole request as rejected and does not try it again', async () => {
    const reports: RejectReport[] = [];
    const client = bench.connect({ onReject: (report) => reports.push(report) });
    bench.server.turns.push({ do: 'answer', status: 400, body: { code: 'malformed', detail: 'no' } });
    recordMany(client, 2);
    expect(await client.flush()).toEqual({ outcome: 'drained' });
    expect(client.stats()).toMatchObject({ rejected: 2, rejectedBy: { malformed: 2 }, requests: 1 });
    expect(reports[0]).toMatchObject({ status: 400, count: 2 });
    expect(bench.lines).toHaveLength(1);
  });

  it('stores once what was taken but whose answer was lost', async () => {
    const client = bench.connect();
    bench.server.turns.push({ do: 'store', lose: true });
    recordMany(client, 5);
    await waitFor('the answer', () => client.stats().accepted === 5);
    expect(bench.server.exchanges).toHaveLength(2);
    expect(bench.storedIds()).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
  });

  it('survives a reset and a server that never answers', async () => {
    const client = bench.connect({ requestTimeoutMs: 50 });
    bench.server.turns.push({ do: 'reset' }, { do: 'hang' });
    recordMany(client, 1);
    await waitFor('the point', () => client.stats().accepted === 1);
    expect(client.stats()).toMatchObject({ requests: 3, lastFailure: { reason: 'timeout' } });
  });

  it('does not take a stranger for the server', async () => {
    const client = bench.connect();
    bench.server.turns.push({ do: 'answer', status: 200, body: '<html>please log in</html>' });
    bench.server.turns.push({ do: 'answer', status: 302, headers: { location: 'http://127.0.0.1:1/' } });
    recordMany(client, 1);
    await waitFor('the point', () => client.stats().accepted === 1);
    expect(client.stats().lastFailure?.reason).toBe('unexpected_answer');
  });

  it('keeps points while its key is refused, and says so once', async () => {
    const client = bench.connect();
    bench.server.turns.push(...Array.from({ length: 3 }, () => ({ do: 'answer', status: 401 }) as const));
    recordMany(client, 4);
    await waitFor('three refusals', () => bench.server.exchanges.length >= 3);
    await waitFor('the points', () => client.stats().accepted === 4);
    expect(bench.storedIds()).toHaveLength(4);
    expect(bench.lines).toEqual([expect.stringContaining('http_401')]);
  });

  it('rejects on the statuses it was told not to hold', async () => {
    const client = bench.connect({ holdStatuses: [] });
    bench.server.turns.push({ do: 'answer', status: 401 });
    recordMany(client, 1);
    await client.flush();
    expect(client.stats()).toMatchObject({ rejected: 1, rejectedBy: { http_401: 1 } });
  });

  it('halves a batch that is too large until it is taken, and makes smaller ones from then on', async () => {
    const client = bench.connect();
    const tooLarge = { do: 'answer', status: 413 } as const;
    bench.server.turns.push(tooLarge, tooLarge);
    recordMany(client, 100);
    expect(await client.flush()).toEqual({ outcome: 'drained' });
    expect(bench.server.exchanges.map((exchange) => exchange.metrics.length)).toEqual([100, 50, 25, 25, 50]);
    expect(new Set(bench.server.exchanges.map((exchange) => exchange.key)).size).toBe(5);
    expect(client.stats()).toMatchObject({ accepted: 100, rejected: 0 });
    recordMany(client, 100);
    await client.flush();
    expect(bench.server.exchanges.slice(5).every((exchange) => exchange.metrics.length <= 50)).toBe(true);
  });

  it('gives up a single point that is too large for the server', async () => {
    const drops: DropReport[] = [];
    const client = bench.connect({ onDrop: (report) => drops.push(report) });
    bench.server.turns.push({ do: 'answer', status: 413 });
    recordMany(client, 1);
    await client.flush();
    expect(client.stats()).toMatchObject({ rejected: 1, rejectedBy: { too_large: 1 } });
    await waitFor('the report', () => drops.length === 1);
    expect(drops[0]).toMatchObject({ reason: 'too_large', count: 1 });
  });

  it('waits as long as the server asks, in seconds or until a date', async () => {
    const client = bench.connect();
    bench.server.turns.push({ do: 'answer', status: 503, headers: { 'retry-after': '3600' } });
    recordMany(client, 1);
    await waitFor('the refusal', () => client.stats().lastFailure !== undefined);
    expect(await client.flush(200)).toEqual({ outcome: 'pending', reason: 'unreachable', remaining: 1 });
    expect(bench.server.exchanges).toHaveLength(1);
  });
});
