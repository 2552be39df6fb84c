import { setTimeout as pause } from 'node:timers/promises';
import { Tidemark } from '@tidemark/sdk';
import { describe, expect, onTestFinished, test } from 'vitest';
import { figure } from './rig/figure.js';
import { model } from './rig/fixtures.js';
import { rounds } from './rig/length.js';
import { openPlatform, PROFILES } from './rig/platform.js';
import { drained, storedIds } from './rig/stored-points.js';

describe.each(PROFILES)('an observed program while the platform crashes, $name', (profile) => {
  test(
    'loses nothing, sends nothing twice, is not delayed, and its account adds up',
    { timeout: 300_000 },
    async () => {
      const platform = await openPlatform(profile);
      const api = platform.client();
      await api.must(api.post('models', model('host', { thresholds: { latency: 60_000 } })));
      const drops: unknown[] = [];
      const tidemark = new Tidemark({
        url: platform.url,
        flushIntervalMs: 20,
        maxBatchItems: 200,
        retryBaseMs: 50,
        retryMaxMs: 200,
        breakerFailures: 3,
        breakerOpenMs: 200,
        breakerMaxOpenMs: 400,
        // All that a program calls while the slowest machine starts the whole platform again must fit.
        maxBufferItems: 1_000_000,
        maxBufferBytes: 1_000_000_000,
        warn: false,
        onDrop: (report) => drops.push(report),
      });
      onTestFinished(async () => void (await tidemark.close()));
      let call = 0;
      const requestId = (): string => `call-${call++}`;
      const work = tidemark.observe((x: number) => x * 2, { modelId: 'host', modelType: 'tabular', requestId });
      let running = true;
      const host = (async () => {
        while (running) {
          for (let i = 0; i < 10; i++) expect(work(i)).toBe(i * 2);
          await pause(5);
        }
      })();
      const turns = rounds(3, 20);
      for (let round = 0; round < turns; round++) {
        await pause(200 + Math.random() * 400);
        if (round % 3 === 2) await platform.stop();
        else await platform.kill();
        const { recorded, accepted, rejected, dropped, buffered, inFlight } = tidemark.stats();
        expect(recorded).toBe(accepted + rejected + dropped + buffered + inFlight);
        await platform.start();
      }
      running = false;
      await host;
      await tidemark.flush(60_000);
      const stats = tidemark.stats();
      expect(stats).toMatchObject({
        recorded: call,
        accepted: call,
        rejected: 0,
        dropped: 0,
        buffered: 0,
        inFlight: 0,
      });
      expect(drops).toEqual([]);
      expect(stats.retries).toBeGreaterThan(0);
      await drained(platform);
      const ids = await storedIds(api);
      expect(ids).toHaveLength(call);
      expect(new Set(ids).size).toBe(call);
      expect((await api.must(api.get('summary?model_id=host'))).total_requests).toBe(call);
      figure(`an observed program over ${turns} crashes`, `${call} calls, each stored once, ${stats.retries} retries`);
    },
  );
});
