import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DropReport } from './reporter.js';
import { ClientBench, recordMany } from './rig/client-bench.js';
import { waitFor } from './rig/wait-for.js';
import type { Stats } from './stats.js';

let bench: ClientBench;

beforeEach(async () => {
  bench = await ClientBench.open();
});

afterEach(() => bench.close());

function imbalance(stats: Stats): number {
  return stats.recorded - stats.accepted - stats.rejected - stats.dropped - stats.buffered - stats.inFlight;
}

describe('what waits in a client', () => {
  it('drops the oldest when the server is away, counts them and says so', async () => {
    const drops: DropReport[] = [];
    const client = bench.connect({ maxBufferItems: 10, maxBatchItems: 4, onDrop: (report) => drops.push(report) });
    bench.server.turns.push({ do: 'hang' });
    recordMany(client, 4);
    await waitFor('the first batch', () => bench.server.exchanges.length === 1);
    recordMany(client, 25);
    expect(client.stats()).toMatchObject({ recorded: 29, inFlight: 4, buffered: 10, dropped: 15 });
    expect(client.stats().droppedBy).toEqual({ buffer_full: 15 });
    await waitFor('the report', () => drops.length > 0);
    expect(drops).toEqual([expect.objectContaining({ kind: 'inference', reason: 'buffer_full', count: 15 })]);
    expect(bench.lines).toEqual([expect.stringContaining('15 inference point(s) lost')]);
  });

  it('does not wait to send when the buffer is half full, by items or by bytes', async () => {
    const patient = { flushIntervalMs: 3_600_000 };
    const few = bench.connect({ ...patient, maxBufferItems: 10 });
    recordMany(few, 5);
    await waitFor('the points', () => few.stats().accepted === 5);
    const large = bench.connect({ ...patient, maxBatchBytes: 1_000 });
    recordMany(large, 12);
    await waitFor('most of the points', () => large.stats().accepted > 5);
  });

  it('bounds the buffer by bytes too', () => {
    const client = bench.connect({ maxBufferBytes: 1_000 });
    recordMany(client, 100);
    expect(client.stats().buffered).toBeLessThan(15);
    expect(imbalance(client.stats())).toBe(0);
  });

  it('answers a flush with what is left when the time is over', async () => {
    const client = bench.connect();
    bench.server.turns.push({ do: 'hang' });
    recordMany(client, 3);
    expect(await client.flush(30)).toEqual({ outcome: 'pending', reason: 'timeout', remaining: 3 });
    expect(client.stats()).toMatchObject({ inFlight: 3 });
  });

  it('answers a flush of nothing at once, and many flushes together', async () => {
    const client = bench.connect({ flushIntervalMs: 3_600_000 });
    expect(await client.flush()).toEqual({ outcome: 'drained' });
    recordMany(client, 2);
    expect(await Promise.all([client.flush(), client.flush(), client.flush()])).toEqual(
      Array(3).fill({ outcome: 'drained' }),
    );
    expect(bench.server.exchanges).toHaveLength(1);
  });

  it('sends what is left on close, and counts what comes after as dropped', async () => {
    const client = bench.connect({ flushIntervalMs: 3_600_000 });
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
    const client = bench.connect({ onDrop: (report) => drops.push(report) });
    bench.server.turns.push({ do: 'hang' });
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

  it('counts nothing twice when an answer comes after it gave up', async () => {
    const answers: ((response: Response) => void)[] = [];
    const client = bench.connect({ fetch: async () => new Promise((resolve) => answers.push(resolve)) });
    recordMany(client, 3);
    await waitFor('the request', () => answers.length === 1);
    await client.close(0);
    recordMany(client, 1);
    answers[0]?.(new Response('{"accepted":3,"rejected":[]}', { status: 201 }));
    await new Promise(setImmediate);
    expect(client.stats()).toMatchObject({ recorded: 4, accepted: 0, dropped: 4, inFlight: 0 });
  });

  it('tries once more on close though the breaker is open', async () => {
    const client = bench.connect({ breakerOpenMs: 3_600_000, breakerMaxOpenMs: 3_600_000 });
    bench.server.turns.push({ do: 'answer', status: 403 });
    recordMany(client, 2);
    await waitFor('the breaker', () => client.stats().breaker === 'open');
    expect(await client.close()).toEqual({ outcome: 'drained' });
    expect(client.stats()).toMatchObject({ accepted: 2, breaker: 'closed' });
  });
});
