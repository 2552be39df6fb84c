import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Tidemark } from './client.js';
import { MetricsServer } from './rig/metrics-server.js';
import type { Turn } from './rig/metrics-server.js';
import type { Stats } from './stats.js';

const STATUSES = [200, 204, 302, 400, 401, 403, 404, 408, 409, 413, 422, 425, 429, 500, 502, 503];
const HEADERS: Record<string, string>[] = [
  {},
  { 'retry-after': '0' },
  { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' },
];
const BODIES: unknown[] = ['', '<html>', {}, { accepted: 'all', rejected: 3 }, { rejected: [null] }, null];

/** TURNS are the ways a server may behave, those of a healthy one among them. */
const TURNS: fc.Arbitrary<Turn> = fc
  .record({
    do: fc.constantFrom('store' as const, 'answer' as const, 'reset' as const, 'hang' as const),
    reject: fc.array(fc.nat(12), { maxLength: 4 }),
    lose: fc.boolean(),
    status: fc.constantFrom(...STATUSES),
    headers: fc.constantFrom(...HEADERS),
    body: fc.constantFrom(...BODIES),
  })
  .map(({ do: what, reject, lose, status, headers, body }) => {
    if (what === 'store') return { do: what, reject, lose };
    return what === 'answer' ? { do: what, status, headers, body } : { do: what };
  });

/** Step is what a host does: record so many good points, a bad one, wait a turn, or flush. */
type Step = number | 'spoil' | 'turn' | 'flush';

const STEPS = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }) },
    { weight: 1, arbitrary: fc.constantFrom('spoil', 'turn', 'flush') },
  ),
  { minLength: 1, maxLength: 12 },
);

function expectBalance(stats: Stats): void {
  const sum = stats.accepted + stats.rejected + stats.dropped + stats.buffered + stats.inFlight;
  expect(sum).toBe(stats.recorded);
  expect(total(stats.rejectedBy)).toBe(stats.rejected);
  expect(total(stats.droppedBy)).toBe(stats.dropped);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

it('the account always adds up, and each accepted point arrived exactly once, whatever the server does', async () => {
  const server = await MetricsServer.open();
  let seen = 0;
  const run = async (turns: Turn[], steps: Step[], maxBufferItems: number): Promise<void> => {
    server.turns.splice(0, Infinity, ...turns);
    server.stored.length = 0;
    const client = new Tidemark({
      url: server.url,
      warn: false,
      maxBufferItems,
      maxBatchItems: 10,
      gzipMinBytes: 1_000,
      flushIntervalMs: 1,
      requestTimeoutMs: 60,
      retryBaseMs: 1,
      retryMaxMs: 3,
      breakerOpenMs: 2,
      breakerMaxOpenMs: 4,
      onDrop: () => expectBalance(client.stats()),
      onReject: () => expectBalance(client.stats()),
    });
    let recorded = 0;
    for (const step of steps) {
      if (typeof step === 'number') {
        for (let i = 0; i < step; i++) {
          client.record({ modelId: 'm', modelType: 'cv', latencyMs: 1, requestId: `r${String(seen++)}` });
        }
        recorded += step;
      } else if (step === 'spoil') {
        client.record({ modelId: '', modelType: 'cv', latencyMs: 1 });
        recorded++;
      } else if (step === 'flush') await client.flush(5);
      else await new Promise(setImmediate);
      expectBalance(client.stats());
    }
    // With its turns used up the server behaves, so all that is left is taken.
    expect(await client.flush(10_000)).toEqual({ outcome: 'drained' });
    const stats = client.stats();
    expectBalance(stats);
    expect(stats).toMatchObject({ recorded, buffered: 0, inFlight: 0, hookErrors: 0 });
    const ids = server.stored.map((point) => point['request_id']);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBe(stats.accepted);
    await client.close(0);
    expectBalance(client.stats());
  };
  try {
    const buffers = fc.constantFrom(1, 7, 25, 1_000);
    await fc.assert(fc.asyncProperty(fc.array(TURNS, { maxLength: 12 }), STEPS, buffers, run), { numRuns: 60 });
  } finally {
    await server.close();
  }
}, 60_000);

it('the account adds up when the client is closed in the middle of anything', async () => {
  const server = await MetricsServer.open();
  const run = async (turns: Turn[], count: number, closeMs: number): Promise<void> => {
    server.turns.splice(0, Infinity, ...turns);
    const client = new Tidemark({ url: server.url, warn: false, maxBatchItems: 5, flushIntervalMs: 1, retryBaseMs: 1 });
    for (let i = 0; i < count; i++) client.record({ modelId: 'm', modelType: 'cv', latencyMs: 1 });
    await new Promise(setImmediate);
    await client.close(closeMs);
    client.record({ modelId: 'm', modelType: 'cv', latencyMs: 1 });
    expectBalance(client.stats());
    expect(client.stats()).toMatchObject({ recorded: count + 1, buffered: 0, inFlight: 0 });
  };
  try {
    const turns = fc.array(TURNS, { maxLength: 6 });
    await fc.assert(fc.asyncProperty(turns, fc.nat(40), fc.constantFrom(0, 1, 10), run), { numRuns: 40 });
  } finally {
    await server.close();
  }
}, 60_000);
