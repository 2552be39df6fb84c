import { describe, expect, it } from 'vitest';
import { Tidemark } from './client.js';
import type { DropReport } from './reporter.js';
import { FakeClock } from './rig/fake-clock.js';
import { MetricsServer } from './rig/metrics-server.js';
import type { Turn } from './rig/metrics-server.js';
import type { Stats } from './stats.js';

const HOUR_S = 3_600;

/** World is a client on a clock that stands, and requests that are real. */
class World {
  readonly clock = new FakeClock();
  readonly drops: DropReport[] = [];
  readonly lines: string[] = [];
  readonly client: Tidemark;
  #requests = 0;

  constructor(url: string, maxBufferItems: number) {
    this.client = new Tidemark({
      url,
      maxBufferItems,
      clock: this.clock,
      random: () => 0.5,
      gzipMinBytes: Infinity,
      onDrop: (report) => this.drops.push(report),
      warn: (line) => this.lines.push(line),
      fetch: async (...request) => {
        this.#requests++;
        try {
          return await fetch(...request);
        } finally {
          this.#requests--;
        }
      },
    });
  }

  /** pass lets `ms` go by and waits for the requests that were made. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise(setImmediate);
      if (this.#requests > 0) quiet = 0;
    }
  }
}

function balance(stats: Stats): number {
  return stats.accepted + stats.rejected + stats.dropped + stats.buffered + stats.inFlight;
}

describe('an hour without a server', () => {
  it('goes unnoticed by the host, is accounted for to the point, and ends by itself', async () => {
    const first = await MetricsServer.open();
    const { port, url } = first;
    await first.close();
    const world = new World(url, 2_000);
    const { client } = world;
    const observed = client.observe((n: number) => n * 2, { modelId: 'm', modelType: 'llm' });
    const unhandled: unknown[] = [];
    const onUnhandled = (fault: unknown): void => void unhandled.push(fault);
    process.on('unhandledRejection', onUnhandled);
    for (let second = 1; second <= HOUR_S; second++) {
      expect(observed(second)).toBe(second * 2);
      await world.pass(1_000);
      const stats = client.stats();
      expect([stats.recorded, balance(stats)]).toEqual([second, second]);
    }
    process.off('unhandledRejection', onUnhandled);
    const down = client.stats();
    expect(unhandled).toEqual([]);
    expect(down).toMatchObject({ accepted: 0, rejected: 0, breaker: 'open', lastFailure: { reason: 'network' } });
    expect(down.buffered).toBe(2_000);
    // Five tries to open the breaker, then ever fewer: it does not hammer.
    expect(down.requests).toBeLessThan(25);
    expect(down.requests).toBeGreaterThan(10);
    expect(world.drops.reduce((sum, report) => sum + report.count, 0)).toBe(down.dropped);
    expect(world.lines).toEqual([expect.stringContaining('cannot deliver'), expect.stringContaining('lost')]);

    const server = await MetricsServer.open(port);
    try {
      for (let second = 0; second < 300; second++) await world.pass(1_000);
      const up = client.stats();
      expect(up).toMatchObject({ recorded: HOUR_S, buffered: 0, inFlight: 0, breaker: 'closed' });
      expect(up.accepted + up.dropped).toBe(HOUR_S);
      expect(up.dropped).toBe(down.dropped);
      expect(server.stored).toHaveLength(up.accepted);
      const ids = new Set(server.stored.map((point) => point['request_id']));
      expect(ids.size).toBe(up.accepted);
    } finally {
      await server.close();
    }
  });

  it('waits longer after each failure, and then as long as the breaker says', async () => {
    const server = await MetricsServer.open();
    try {
      const world = new World(server.url, 100);
      server.turns.push(...Array<Turn>(8).fill({ do: 'answer', status: 500 }));
      world.client.record({ modelId: 'm', modelType: 'llm', latencyMs: 1 });
      const tries: number[] = [];
      for (let step = 0; server.stored.length === 0 && step < 10_000; step++) {
        await world.pass(100);
        while (tries.length < server.exchanges.length) tries.push(world.clock.elapsed());
      }
      // With a randomness of one half each wait is three quarters of 500 ms, 1 s, 2 s and 4 s.
      const waits = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
      expect(waits).toEqual([400, 800, 1_500, 3_000, 30_000, 60_000, 120_000, 240_000]);
    } finally {
      await server.close();
    }
  });

  it('waits exactly as long as a date asks, by the wall clock, and not less', async () => {
    const server = await MetricsServer.open();
    try {
      const world = new World(server.url, 100);
      const until = new Date(world.clock.now() + 121_000).toUTCString();
      server.turns.push({ do: 'answer', status: 503, headers: { 'retry-after': until } });
      world.client.record({ modelId: 'm', modelType: 'llm', latencyMs: 1 });
      await world.pass(1_000);
      expect(server.exchanges).toHaveLength(1);
      await world.pass(119_000);
      expect(server.exchanges).toHaveLength(1);
      // The date, and the twentieth of the wait that the jitter adds here.
      await world.pass(9_000);
      expect(server.exchanges).toHaveLength(2);
      expect(world.client.stats()).toMatchObject({ accepted: 1, breaker: 'closed' });
    } finally {
      await server.close();
    }
  });

  it('gives a batch up once its idempotency key may be forgotten', async () => {
    const server = await MetricsServer.open();
    try {
      const world = new World(server.url, 100);
      server.turns.push({ do: 'store', lose: true });
      world.client.record({ modelId: 'm', modelType: 'llm', latencyMs: 1 });
      await world.pass(1_000);
      expect(server.stored).toHaveLength(1);
      await server.close();
      for (let hour = 0; hour < 25; hour++) await world.pass(3_600_000);
      expect(world.client.stats()).toMatchObject({ recorded: 1, dropped: 1, droppedBy: { expired: 1 }, inFlight: 0 });
      expect(world.drops).toEqual([expect.objectContaining({ reason: 'expired', count: 1 })]);
    } finally {
      await server.close();
    }
  });
});
