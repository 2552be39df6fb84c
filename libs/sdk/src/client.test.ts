import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DropReport } from './reporter.js';
import { ClientBench, recordMany } from './rig/client-bench.js';
import { waitFor } from './rig/wait-for.js';

let bench: ClientBench;

beforeEach(async () => {
  bench = await ClientBench.open();
});

afterEach(() => bench.close());

describe('Tidemark', () => {
  it('sends points by itself, in order, with its key and an idempotency key', async () => {
    const client = bench.connect({ apiKey: 'tm_key' });
    recordMany(client, 3);
    await waitFor('the points', () => client.stats().accepted === 3);
    expect(bench.storedIds()).toEqual(['r0', 'r1', 'r2']);
    expect(bench.server.exchanges[0]).toMatchObject({
      path: '/api/v1/metrics/inference/batch',
      headers: { authorization: 'Bearer tm_key', 'content-type': 'application/json' },
      key: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(client.stats()).toMatchObject({ recorded: 3, buffered: 0, inFlight: 0, requests: 1, retries: 0 });
  });

  it('sends no authorization without a key', async () => {
    const client = bench.connect();
    recordMany(client, 1);
    await client.flush();
    expect(bench.server.exchanges[0]?.headers.authorization).toBeUndefined();
  });

  it('sends drift to its own route', async () => {
    const client = bench.connect();
    client.drift({ modelId: 'm', driftType: 'concept', severity: 'high', confidence: 0.75 });
    recordMany(client, 1);
    expect(await client.flush()).toEqual({ outcome: 'drained' });
    const paths = bench.server.exchanges.map((exchange) => exchange.path).sort();
    expect(paths).toEqual(['/api/v1/metrics/drift/batch', '/api/v1/metrics/inference/batch']);
    expect(bench.server.stored).toContainEqual(expect.objectContaining({ drift_type: 'concept', confidence: 0.75 }));
  });

  it('lets a flood of one kind not hold up the other', async () => {
    const client = bench.connect({ maxBatchItems: 2, flushIntervalMs: 3_600_000 });
    recordMany(client, 6);
    for (let i = 0; i < 3; i++) client.drift({ modelId: 'm', driftType: 'data', severity: 'low', confidence: 0.5 });
    await client.flush();
    const kinds = bench.server.exchanges.map((exchange) => exchange.path.split('/')[4]);
    expect(kinds).toEqual(['inference', 'drift', 'inference', 'drift', 'inference']);
  });

  it('cuts what waits into batches and has one request open at a time', async () => {
    const client = bench.connect({ maxBatchItems: 10 });
    recordMany(client, 95);
    await client.flush();
    expect(bench.server.exchanges.map((exchange) => exchange.metrics.length)).toEqual([
      ...Array<number>(9).fill(10),
      5,
    ]);
    expect(bench.server.mostAtOnce).toBe(1);
    expect(new Set(bench.server.exchanges.map((exchange) => exchange.key)).size).toBe(10);
  });

  it('compresses from the given size on', async () => {
    const client = bench.connect({ gzipMinBytes: 2_000 });
    recordMany(client, 1);
    await client.flush();
    recordMany(client, 200);
    await client.flush();
    expect(bench.server.exchanges.map((exchange) => exchange.headers['content-encoding'])).toEqual([undefined, 'gzip']);
    expect(bench.server.exchanges[1]?.metrics).toHaveLength(200);
    expect(bench.server.exchanges[1]?.bytes).toBeLessThan(5_000);
  });

  it.each([408, 409, 425, 429, 500, 502, 503, 504])(
    'tries a batch again after a %i, with the same key',
    async (status) => {
      const client = bench.connect();
      bench.server.turns.push({ do: 'answer', status }, { do: 'answer', status });
      recordMany(client, 2);
      await waitFor('the points', () => client.stats().accepted === 2);
      expect(new Set(bench.server.exchanges.map((exchange) => exchange.key)).size).toBe(1);
      expect(bench.server.exchanges.map((exchange) => exchange.metrics)).toEqual(Array(3).fill(bench.server.stored));
      expect(client.stats()).toMatchObject({ requests: 3, retries: 2 });
    },
  );

  it('takes bad input without throwing, counts it and tells onDrop why', async () => {
    const drops: DropReport[] = [];
    const client = bench.connect({ onDrop: (report) => drops.push(report) });
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
    expect(bench.server.exchanges).toEqual([]);
  });

  it('counts hooks that throw, synchronously or later, and goes on', async () => {
    const fail = (): never => {
      throw new Error('hook');
    };
    const hooks = { onReject: fail, warn: fail };
    Object.assign(hooks, { onDrop: async () => Promise.reject(new Error('later')) });
    const client = bench.connect(hooks);
    client.record({ modelId: '', modelType: 'llm', latencyMs: 1 });
    bench.server.turns.push({ do: 'store', reject: [0] });
    recordMany(client, 2);
    await client.flush();
    // onReject, onDrop, and warn for the refusal and for the loss.
    await waitFor('four failures', () => client.stats().hookErrors === 4);
    expect(client.stats()).toMatchObject({ accepted: 1, rejected: 2 });
  });

  it('lets a hook record without calling itself for ever', async () => {
    let heard = 0;
    const client = bench.connect({
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
    const client = bench.connect();
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
