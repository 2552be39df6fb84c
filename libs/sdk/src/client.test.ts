import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Tidemark } from './client.js';
import type { TidemarkOptions } from './options.js';
import type { DropReport, RejectReport } from './reporter.js';
import { MetricsServer } from './rig/metrics-server.js';
import { waitFor } from './rig/wait-for.js';
import type { Stats } from './stats.js';

const FAST = { flushIntervalMs: 5, retryBaseMs: 2, retryMaxMs: 10, breakerOpenMs: 20, breakerMaxOpenMs: 40 };

let server: MetricsServer;
let clients: Tidemark[] = [];
let lines: string[] = [];

beforeEach(async () => {
  server = await MetricsServer.open();
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close(0)));
  await server.close();
  clients = [];
  lines = [];
});

function connect(options: Partial<TidemarkOptions> = {}): Tidemark {
  const client = new Tidemark({ url: server.url, warn: (line) => lines.push(line), ...FAST, ...options });
  clients.push(client);
  return client;
}

function recordMany(client: Tidemark, count: number): void {
  for (let i = 0; i < count; i++) {
    client.record({ modelId: 'm', modelType: 'llm', latencyMs: 1 + i, requestId: `r${String(i)}` });
  }
}

function storedIds(): unknown[] {
  return server.stored.map((point) => point['request_id']);
}

function imbalance(stats: Stats): number {
  return stats.recorded - stats.accepted - stats.rejected - stats.dropped - stats.buffered - stats.inFlight;
}

describe('Tidemark', () => {
  it('sends points by itself, in order, with its key and an idempotency key', async () => {
    const client = connect({ apiKey: 'tm_key' });
    recordMany(client, 3);
    await waitFor('the points', () => client.stats().accepted === 3);
    expect(storedIds()).toEqual(['r0', 'r1', 'r2']);
    expect(server.exchanges[0]).toMatchObject({
      path: '/api/v1/metrics/inference/batch',
      headers: { authorization: 'Bearer tm_key', 'content-type': 'application/json' },
      key: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(client.stats()).toMatchObject({ recorded: 3, buffered: 0, inFlight: 0, requests: 1, retries: 0 });
  });

  it('sends no authorization without a key', async () => {
    const client = connect();
    recordMany(client, 1);
    await client.flush();
    expect(server.exchanges[0]?.headers.authorization).toBeUndefined();
  });

  it('sends drift to its own route', async () => {
    const client = connect();
    client.drift({ modelId: 'm', driftType: 'concept', severity: 'high', confidence: 0.75 });
    recordMany(client, 1);
    expect(await client.flush()).toEqual({ outcome: 'drained' });
    const paths = server.exchanges.map((exchange) => exchange.path).sort();
    expect(paths).toEqual(['/api/v1/metrics/drift/batch', '/api/v1/metrics/inference/batch']);
    expect(server.stored).toContainEqual(expect.objectContaining({ drift_type: 'concept', confidence: 0.75 }));
  });

  it('cuts what waits into batches and has one request open at a time', async () => {
    const client = connect({ maxBatchItems: 10 });
    recordMany(client, 95);
    await client.flush();
    expect(server.exchanges.map((exchange) => exchange.metrics.length)).toEqual([...Array<number>(9).fill(10), 5]);
    expect(server.mostAtOnce).toBe(1);
    expect(new Set(server.exchanges.map((exchange) => exchange.key)).size).toBe(10);
  });

  it('compresses from the given size on', async () => {
    const client = connect({ gzipMinBytes: 2_000 });
    recordMany(client, 1);
    await client.flush();
    recordMany(client, 200);
    await client.flush();
    expect(server.exchanges.map((exchange) => exchange.headers['content-encoding'])).toEqual([undefined, 'gzip']);
    expect(server.exchanges[1]?.metrics).toHaveLength(200);
    expect(server.exchanges[1]?.bytes).toBeLessThan(5_000);
  });

  it('tells which points the server refused and why', async () => {
    const reports: RejectReport[] = [];
    const client = connect({ onReject: (report) => reports.push(report) });
    server.turns.push({ do: 'store', reject: [1] });
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
    const client = connect();
    server.turns.push({ do: 'store', reject: [0, 1] });
    recordMany(client, 2);
    await client.flush();
    expect(client.stats()).toMatchObject({ accepted: 0, rejected: 2, rejectedBy: { out_of_range: 2 } });
  });

  it('counts a refusal of the whole request as rejected and does not try it again', async () => {
    const reports: RejectReport[] = [];
    const client = connect({ onReject: (report) => reports.push(report) });
    server.turns.push({ do: 'answer', status: 400, body: { code: 'malformed', detail: 'no' } });
    recordMany(client, 2);
    expect(await client.flush()).toEqual({ outcome: 'drained' });
    expect(client.stats()).toMatchObject({ rejected: 2, rejectedBy: { malformed: 2 }, requests: 1 });
    expect(reports[0]).toMatchObject({ status: 400, count: 2 });
    expect(lines).toHaveLength(1);
  });

  it.each([408, 409, 425, 429, 500, 502, 503, 504])(
    'tries a batch again after a %i, with the same key',
    async (status) => {
      const client = connect();
      server.turns.push({ do: 'answer', status }, { do: 'answer', status });
      recordMany(client, 2);
      await waitFor('the points', () => client.stats().accepted === 2);
      expect(new Set(server.exchanges.map((exchange) => exchange.key)).size).toBe(1);
      expect(server.exchanges.map((exchange) => exchange.metrics)).toEqual(Array(3).fill(server.stored));
      expect(client.stats()).toMatchObject({ requests: 3, retries: 2 });
    },
  );

  it('stores once what was taken but whose answer was lost', async () => {
    const client = connect();
    server.turns.push({ do: 'store', lose: true });
    recordMany(client, 5);
    await waitFor('the answer', () => client.stats().accepted === 5);
    expect(server.exchanges).toHaveLength(2);
    expect(storedIds()).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
  });

  it('survives a reset and a server that never answers', async () => {
    const client = connect({ requestTimeoutMs: 50 });
    server.turns.push({ do: 'reset' }, { do: 'hang' });
    recordMany(client, 1);
    await waitFor('the point', () => client.stats().accepted === 1);
    expect(client.stats()).toMatchObject({ requests: 3, lastFailure: { reason: 'timeout' } });
  });

  it('does not take a stranger for the server', async () => {
    const client = connect();
    server.turns.push({ do: 'answer', status: 200, body: '<html>please log in</html>' });
    server.turns.push({ do: 'answer', status: 302, headers: { location: 'http://127.0.0.1:1/' } });
    recordMany(client, 1);
    await waitFor('the point', () => client.stats().accepted === 1);
    expect(client.stats().lastFailure?.reason).toBe('unexpected_answer');
  });

  it('keeps points while its key is refused, and says so once', async () => {
    const client = connect();
    server.turns.push(...Array.from({ length: 3 }, () => ({ do: 'answer', status: 401 }) as const));
    recordMany(client, 4);
    await waitFor('three refusals', () => server.exchanges.length >= 3);
    await waitFor('the points', () => client.stats().accepted === 4);
    expect(storedIds()).toHaveLength(4);
    expect(lines).toEqual([expect.stringContaining('http_401')]);
  });

  it('rejects on the statuses it was told not to hold', async () => {
    const client = connect({ holdStatuses: [] });
    server.turns.push({ do: 'answer', status: 401 });
    recordMany(client, 1);
    await client.flush();
    expect(client.stats()).toMatchObject({ rejected: 1, rejectedBy: { http_401: 1 } });
  });

  it('halves a batch that is too large until it is taken, and makes smaller ones from then on', async () => {
    const client = connect();
    const tooLarge = { do: 'answer', status: 413 } as const;
    server.turns.push(tooLarge, tooLarge);
    recordMany(client, 100);
    expect(await client.flush()).toEqual({ outcome: 'drained' });
    expect(server.exchanges.map((exchange) => exchange.metrics.length)).toEqual([100, 50, 25, 25, 50]);
    expect(new Set(server.exchanges.map((exchange) => exchange.key)).size).toBe(5);
    expect(client.stats()).toMatchObject({ accepted: 100, rejected: 0 });
    recordMany(client, 100);
    await client.flush();
    expect(server.exchanges.slice(5).every((exchange) => exchange.metrics.length <= 50)).toBe(true);
  });

  it('gives up a single point that is too large for the server', async () => {
    const drops: DropReport[] = [];
    const client = connect({ onDrop: (report) => drops.push(report) });
    server.turns.push({ do: 'answer', status: 413 });
    recordMany(client, 1);
    await client.flush();
    expect(client.stats()).toMatchObject({ rejected: 1, rejectedBy: { too_large: 1 } });
    await waitFor('the report', () => drops.length === 1);
    expect(drops[0]).toMatchObject({ reason: 'too_large', count: 1 });
  });

  it('takes bad input without throwing, counts it and tells onDrop why', async () => {
    const drops: DropReport[] = [];
    const client = connect({ onDrop: (report) => drops.push(report) });
    client.record({ modelId: '', modelType: 'llm', latencyMs: 1 });
    client.record({ modelId: '', modelType: 'llm', latencyMs: 2 });
    client.drift({ modelId: 'm', driftType: 'data', severity: 'low', confidence: 7 });
    expect(drops).toEqual([]);
    await waitFor('the reports', () => drops.length === 2);
    expect(drops).toEqual([
      { kind: 'inference', reason: 'invalid', message: 'modelId must be a non-empty string', count: 2 },
      { kind: 'drift', reason: 'invalid', message: 'confidence must be a number from 0 to 1', count: 1 },
    ]);
    expect(client.stats()).toMatchObject({ recorded: 3, rejected: 3, rejectedBy: { invalid: 3 } });
    expect(server.exchanges).toEqual([]);
  });

  it('drops the oldest when the server is away, counts them and says so', async () => {
    const drops: DropReport[] = [];
    const client = connect({ maxBufferItems: 10, maxBatchItems: 4, onDrop: (report) => drops.push(report) });
    server.turns.push({ do: 'hang' });
    recordMany(client, 4);
    await waitFor('the first batch', () => server.exchanges.length === 1);
    recordMany(client, 25);
    expect(client.stats()).toMatchObject({ recorded: 29, inFlight: 4, buffered: 10, dropped: 15 });
    expect(client.stats().droppedBy).toEqual({ buffer_full: 15 });
    await waitFor('the report', () => drops.length > 0);
    expect(drops).toEqual([expect.objectContaining({ kind: 'inference', reason: 'buffer_full', count: 15 })]);
    expect(lines).toEqual([expect.stringContaining('15 inference point(s) lost')]);
  });

  it('does not wait to send when the buffer is half full, by items or by bytes', async () => {
    const patient = { flushIntervalMs: 3_600_000 };
    const few = connect({ ...patient, maxBufferItems: 10 });
    recordMany(few, 5);
    await waitFor('the points', () => few.stats().accepted === 5);
    const large = connect({ ...patient, maxBatchBytes: 1_000 });
    recordMany(large, 12);
    await waitFor('most of the points', () => large.stats().accepted > 5);
  });

  it('bounds the buffer by bytes too', () => {
    const client = connect({ maxBufferBytes: 1_000 });
    recordMany(client, 100);
    expect(client.stats().buffered).toBeLessThan(15);
    expect(imbalance(client.stats())).toBe(0);
  });

  it('waits as long as the server asks, in seconds or until a date', async () => {
    const client = connect();
    server.turns.push({ do: 'answer', status: 503, headers: { 'retry-after': '3600' } });
    recordMany(client, 1);
    await waitFor('the refusal', () => client.stats().lastFailure !== undefined);
    expect(await client.flush(200)).toEqual({ outcome: 'pending', reason: 'unreachable', remaining: 1 });
    expect(server.exchanges).toHaveLength(1);
  });

  it('answers a flush with what is left when the time is over', async () => {
    const client = connect();
    server.turns.push({ do: 'hang' });
    recordMany(client, 3);
    expect(await client.flush(30)).toEqual({ outcome: 'pending', reason: 'timeout', remaining: 3 });
    expect(client.stats()).toMatchObject({ inFlight: 3 });
  });

  it('answers a flush of nothing at once, and many flushes together', async () => {
    const client = connect({ flushIntervalMs: 3_600_000 });
    expect(await client.flush()).toEqual({ outcome: 'drained' });
    recordMany(client, 2);
    expect(await Promise.all([client.flush(), client.flush(), client.flush()])).toEqual(
      Array(3).fill({ outcome: 'drained' }),
    );
    expect(server.exchanges).toHaveLength(1);
  });

  it('sends what is left on close, and counts what comes after as dropped', async () => {
    const client = connect({ flushIntervalMs: 3_600_000 });
    recordMany(client, 3);
    expect(await client.close()).toEqual({ outcome: 'drained' });
    expect(await client.close()).toEqual({ outcome: 'drained' });
    recordMany(client, 2);
    expect(client.stats()).toMatchObject({
      recorded: 5,
      accepted: 3,
      dropped: 2,
      droppedBy: { closed: 2 },
      buffered: 0,
    });
  });

  it('gives up on close what a dead server does not take in time, and tells onDrop', async () => {
    const drops: DropReport[] = [];
    const client = connect({ onDrop: (report) => drops.push(report) });
    server.turns.push({ do: 'hang' });
    recordMany(client, 3);
    expect(await client.close(30)).toEqual({ outcome: 'pending', reason: 'timeout', remaining: 3 });
    expect(client.stats()).toMatchObject({
      recorded: 3,
      dropped: 3,
      droppedBy: { closed: 3 },
      buffered: 0,
      inFlight: 0,
    });
    expect(drops).toEqual([expect.objectContaining({ reason: 'closed', count: 3 })]);
  });

  it('tries once more on close though the breaker is open', async () => {
    const client = connect({ breakerOpenMs: 3_600_000, breakerMaxOpenMs: 3_600_000 });
    server.turns.push({ do: 'answer', status: 403 });
    recordMany(client, 2);
    await waitFor('the breaker', () => client.stats().breaker === 'open');
    expect(await client.close()).toEqual({ outcome: 'drained' });
    expect(client.stats()).toMatchObject({ accepted: 2, breaker: 'closed' });
  });

  it('counts hooks that throw, synchronously or later, and goes on', async () => {
    const fail = (): never => {
      throw new Error('hook');
    };
    const hooks = { onReject: fail, warn: fail };
    Object.assign(hooks, { onDrop: async () => Promise.reject(new Error('later')) });
    const client = connect(hooks);
    client.record({ modelId: '', modelType: 'llm', latencyMs: 1 });
    server.turns.push({ do: 'store', reject: [0] });
    recordMany(client, 2);
    await client.flush();
    // onReject, onDrop, and warn for the refusal and for the loss.
    await waitFor('four failures', () => client.stats().hookErrors === 4);
    expect(client.stats()).toMatchObject({ accepted: 1, rejected: 2 });
  });

  it('lets a hook record without calling itself for ever', async () => {
    let heard = 0;
    const client = connect({
      onDrop: () => {
        heard++;
        client.record({ modelId: '', modelType: 'llm', latencyMs: 1 });
      },
    });
    client.record({ modelId: '', modelType: 'llm', latencyMs: 1 });
    await waitFor('the first report', () => heard === 1);
    expect(client.stats().recorded).toBe(2);
  });

  it('speaks through no fetch that is put in place later, such as an observed one', async () => {
    const { fetch } = globalThis;
    const client = connect();
    globalThis.fetch = client.observe(fetch, { modelId: 'fetch', modelType: 'llm' });
    try {
      recordMany(client, 1);
      await client.flush();
    } finally {
      globalThis.fetch = fetch;
    }
    expect(client.stats()).toMatchObject({ recorded: 1, accepted: 1 });
  });
});
