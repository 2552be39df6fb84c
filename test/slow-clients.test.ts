import { setTimeout as pause } from 'node:timers/promises';
import type { LocalServer } from '@tidemark/servers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Client } from './rig/client.js';
import { Dribbler, UNFINISHED_BODY, UNFINISHED_HEADERS } from './rig/dribbler.js';
import { figure, milliseconds, percentile } from './rig/figure.js';
import { inference } from './rig/fixtures.js';
import { LiveListener } from './rig/live-listener.js';
import { OwnMetrics } from './rig/own-metrics.js';
import { type Platform, PROFILES } from './rig/platform.js';
import { PRODUCTION, ProductionPlatform } from './rig/production-platform.js';
import { drained } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

/**
 * Which of them are sent away. The API bounds a whole request; nginx bounds headers as a whole and a body between two reads,
 * so that a body that trickles in stays with nginx, and no instance hears of it.
 */
const IS_CUT: Readonly<Record<string, { readonly headers: boolean; readonly body: boolean }>> = {
  embedded: { headers: true, body: true },
  production: { headers: true, body: false },
};

interface Dribblers {
  readonly cut: Dribbler[];
  readonly borne: Dribbler[];
}

/** Half of `count` do not end their headers, the others their body; they go with the test. */
function dribble(platform: Platform, profile: string, asked: { count: number; everyMs: number }): Dribblers {
  const port = Number(new URL(platform.url).port);
  const all: Dribblers = { cut: [], borne: [] };
  for (let i = 0; i < asked.count; i++) {
    const part = i % 2 === 0 ? 'headers' : 'body';
    const opening = part === 'headers' ? UNFINISHED_HEADERS : UNFINISHED_BODY;
    const dribbler = new Dribbler({ port, opening, everyMs: asked.everyMs });
    onTestFinished(() => dribbler.close());
    all[IS_CUT[profile]?.[part] ? 'cut' : 'borne'].push(dribbler);
  }
  return all;
}

const isOpen = ({ closedAfterMs }: Dribbler): boolean => closedAfterMs === null;

/** Sockets that the instances of the API have open: of clients, and of the servers behind. */
async function socketsOf(platform: Platform): Promise<number> {
  return (await OwnMetrics.of(platform)).sum('nodejs_active_resources', 'type="TCPSocketWrap"');
}

function nginxOf(platform: Platform): LocalServer {
  if (platform instanceof ProductionPlatform) return platform.stack.nginx;
  throw new Error('there is no nginx');
}

describe.each(PROFILES)('clients that dribble, $name', (profile) => {
  let platform: Platform;
  let api: Client;
  beforeAll(async () => {
    platform = await profile.open({ env: { TIDEMARK_DRAIN_TIMEOUT: '2s' } });
    api = platform.client();
  }, 120_000);
  afterAll(() => platform.close());

  test('500 of them are each sent away or reach no instance, and nobody else waits for them', async () => {
    const { cut, borne } = dribble(platform, profile.name, { count: 500, everyMs: 500 });
    const waits: number[] = [];
    const statuses = new Set<number>();
    const endMs = performance.now() + 40_000;
    while (cut.some(isOpen) && performance.now() < endMs) {
      const beginMs = performance.now();
      const answer = await api.post('metrics/inference', inference('a', `r${waits.length}`));
      waits.push(performance.now() - beginMs);
      statuses.add(answer.status);
      await pause(20);
    }
    const bornMs = cut.map(({ closedAfterMs }) => closedAfterMs ?? Infinity);
    const name = `500 dribbling clients, ${profile.name}`;
    figure(`${name}, the last of ${cut.length} was closed after`, milliseconds(Math.max(...bornMs)));
    figure(`${name}, p99 of ${waits.length} others`, milliseconds(percentile(waits, 0.99)));
    expect(Math.max(...bornMs)).toBeLessThan(20_000);
    expect(Math.min(...bornMs)).toBeGreaterThan(5000); // a slow line is not an attack
    expect([...statuses]).toEqual([201]);
    expect(borne.filter(isOpen)).toHaveLength(borne.length);
    const sockets = await socketsOf(platform);
    expect(sockets).toBeGreaterThan(0);
    expect(sockets).toBeLessThan(100);
  });

  test('one that never ends its request cannot hold up a stop', async () => {
    await api.must(api.post('metrics/inference', inference('a', 'last')));
    await drained(platform);
    const { total_requests: stored } = await api.must(api.get('summary'));
    const { cut } = dribble(platform, profile.name, { count: 2, everyMs: 200 });
    await pause(500); // nothing tells from outside that half a request has arrived
    const beginMs = performance.now();
    expect(await platform.stop()).toEqual({ code: 0, signal: null });
    const name = `SIGTERM with a client that never ends to exit 0, ${profile.name}`;
    figure(name, milliseconds(performance.now() - beginMs));
    await platform.start();
    expect((await api.must(api.get('summary'))).total_requests).toBe(stored);
    await waitFor('the clients to be let go', () => !cut.some(isOpen));
  });

  if (profile !== PRODUCTION) return;
  test('nor can it hold up nginx, nor can one that listens', async () => {
    const { borne } = dribble(platform, profile.name, { count: 2, everyMs: 200 });
    const live = await LiveListener.open(platform.url);
    await live.follow();
    const beginMs = performance.now();
    expect(await nginxOf(platform).stop()).toEqual({ code: 0, signal: null });
    figure('SIGQUIT to nginx with clients that stay, to exit 0', milliseconds(performance.now() - beginMs));
    await waitFor('the clients to be let go', () => !borne.some(isOpen) && live.closeCode !== null);
  });
});
