import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Dribbler, UNFINISHED_BODY, UNFINISHED_HEADERS } from './rig/dribbler.js';
import { figure, milliseconds, percentile } from './rig/figure.js';
import { inference } from './rig/fixtures.js';
import { openPlatform, ALONE } from './rig/platform.js';
import { waitFor } from './rig/wait-for.js';

describe.each(ALONE)('clients that dribble, $name', (profile) => {
  test('500 of them are each sent away, and nobody else waits for them', async () => {
    const platform = await openPlatform(profile);
    const api = platform.client();
    const port = Number(new URL(platform.url).port);
    const dribblers = Array.from({ length: 500 }, (_, i) => {
      return new Dribbler({ port, opening: i % 2 === 0 ? UNFINISHED_HEADERS : UNFINISHED_BODY, everyMs: 500 });
    });
    onTestFinished(() => {
      for (const dribbler of dribblers) dribbler.close();
    });
    const waits: number[] = [];
    const statuses = new Set<number>();
    const isOpen = (): boolean => dribblers.some(({ closedAfterMs }) => closedAfterMs === null);
    const endMs = performance.now() + 40_000;
    while (isOpen() && performance.now() < endMs) {
      const beginMs = performance.now();
      const answer = await api.post('metrics/inference', inference('a', `r${waits.length}`));
      waits.push(performance.now() - beginMs);
      statuses.add(answer.status);
      await pause(20);
    }
    const bornMs = dribblers.map(({ closedAfterMs }) => closedAfterMs ?? Infinity);
    figure('500 dribbling clients, the last one was closed after', milliseconds(Math.max(...bornMs)));
    figure(`500 dribbling clients, p99 of ${waits.length} others`, milliseconds(percentile(waits, 0.99)));
    expect(Math.max(...bornMs)).toBeLessThan(20_000);
    expect(Math.min(...bornMs)).toBeGreaterThan(5000); // a slow line is not an attack
    expect([...statuses]).toEqual([201]);
  });

  test('one that never ends its request cannot hold up a stop', async () => {
    const platform = await openPlatform(profile, { env: { TIDEMARK_DRAIN_TIMEOUT: '2s' } });
    const api = platform.client();
    const port = Number(new URL(platform.url).port);
    await api.must(api.post('metrics/inference', inference('a', 'r1')));
    const dribblers = [UNFINISHED_HEADERS, UNFINISHED_BODY].map(
      (opening) => new Dribbler({ port, opening, everyMs: 200 }),
    );
    onTestFinished(() => {
      for (const dribbler of dribblers) dribbler.close();
    });
    await pause(500); // nothing tells from outside that half a request has arrived
    const beginMs = performance.now();
    expect(await platform.stop()).toEqual({ code: 0, signal: null });
    figure('SIGTERM with a client that never ends to exit 0', milliseconds(performance.now() - beginMs));
    await waitFor('the clients to be let go', () => dribblers.every(({ closedAfterMs }) => closedAfterMs !== null));
    await platform.start();
    expect((await api.get('summary')).json.total_requests).toBe(1);
  });
});
