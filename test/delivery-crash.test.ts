import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Json } from './rig/client.js';
import { figure } from './rig/figure.js';
import { inference, model } from './rig/fixtures.js';
import { rounds } from './rig/length.js';
import { ALONE, openPlatform, PROFILES } from './rig/platform.js';
import { HttpSink } from './rig/receivers/http-sink.js';
import { SIGNING_SECRET, verified } from './rig/receivers/three-receivers.js';
import { waitFor } from './rig/wait-for.js';

/** Alerts of a round, each on a channel of its own: all of them can be under way when the process dies. */
const CHANNELS = 10;
/** What one channel takes in a minute. */
const CHANNEL_LIMIT = 60;
/** That minute, less what messages may take on their way. */
const WINDOW_MS = 58_000;

describe.each(PROFILES)('kill -9 while alerts fire and are delivered, $name', (profile) => {
  test(
    'every acknowledged breach is told, and a repeat carries the event id of the first',
    { timeout: 600_000 },
    async () => {
      const sink = await HttpSink.open();
      onTestFinished(() => sink.close());
      const platform = await openPlatform(profile);
      const api = platform.client();
      const channels: string[] = [];
      for (let i = 0; i < CHANNELS; i++) {
        const channel = { name: `hook ${i}`, kind: 'webhook', url: sink.url, secret: SIGNING_SECRET };
        channels.push((await api.must(api.post('channels', channel))).id);
      }
      const turns = rounds(profile.name === 'embedded' ? 4 : 2, 50);
      const acknowledged: string[] = [];
      const retried: string[] = [];
      for (let round = 0; round < turns; round++) {
        const ids = channels.map((_, i) => `m${round}-${i}`);
        // One alert a round and channel keeps each below its limit of 60 a minute.
        for (const [i, id] of ids.entries()) await api.must(api.post('models', model(id, { channels: [channels[i]] })));
        const send = (id: string) =>
          api.post('metrics/inference', inference(id, 'r', { latency: 9000 }), { headers: { 'idempotency-key': id } });
        const answers = ids.map(async (id, i) => {
          await pause(i * 3);
          const isDone = await send(id)
            .then(({ status }) => status === 201)
            .catch(() => false);
          (isDone ? acknowledged : retried).push(id);
        });
        await pause(Math.random() * 60);
        await platform.kill();
        await Promise.all(answers);
        await platform.start();
        const before = new Set((await api.must(api.get('alerts?limit=1000'))).map(({ model_id }: Json) => model_id));
        expect(acknowledged.filter((id) => !before.has(id))).toEqual([]);
        // Whoever had no answer asks again under the same key: stored once, and told.
        await Promise.all(
          retried.map((id) =>
            // Another instance may believe for half a minute that the one that was killed is at it; a proxy needs a moment.
            waitFor('the request to be taken', async () => (await send(id)).status === 201, 90_000),
          ),
        );
      }
      const models = [...acknowledged, ...retried].sort();
      const deliveries = await waitFor(
        'every delivery to end',
        async () => {
          const all = (await api.must(api.get('deliveries?limit=1000'))).deliveries;
          return all.length === models.length && all.every(({ status }: Json) => status === 'delivered') ? all : null;
        },
        180_000 + turns * 10_000,
      );
      expect(deliveries.map(({ model_id }: Json) => model_id).sort()).toEqual(models);
      const alerts = await api.must(api.get('alerts?limit=1000'));
      expect(alerts.map(({ model_id }: Json) => model_id).sort()).toEqual(models);
      expect((await api.must(api.get('summary'))).total_requests).toBe(models.length);

      const calls = sink.requests.map(({ headers, body }) => verified(headers, body));
      const eventsOf = new Map<string, Set<string>>(models.map((id) => [id, new Set()]));
      for (const { model_id, event_id } of calls) eventsOf.get(model_id)?.add(event_id);
      expect([...eventsOf].filter(([, events]) => events.size !== 1)).toEqual([]);
      const repeats = calls.length - models.length;
      expect(repeats).toBeLessThanOrEqual(turns * CHANNELS);
      figure(`${turns} kill -9 during ${models.length} alerts, ${profile.name}`, `all told, ${repeats} twice`);
    },
  );
});

describe.each(ALONE)('kill -9 while one channel is told of more than it takes, $name', (profile) => {
  test('what was being sent keeps its place, and the channel gets no more than its limit', async () => {
    const sink = await HttpSink.open();
    onTestFinished(() => sink.close());
    const platform = await openPlatform(profile);
    const api = platform.client();
    const channel = { name: 'hook', kind: 'webhook', url: sink.url, secret: SIGNING_SECRET };
    const channels = [(await api.must(api.post('channels', channel))).id];
    const ids = Array.from({ length: CHANNEL_LIMIT + 20 }, (_, i) => `m${i}`);
    const report = async (id: string) => {
      await api.must(api.post('models', model(id, { channels })));
      await api.must(api.post('metrics/inference', inference(id, 'r', { latency: 9000 })));
    };
    const statusesAre = async (...statuses: readonly string[]) =>
      (await api.must(api.get('deliveries?limit=1000'))).deliveries.every(({ status }: Json) =>
        statuses.includes(status),
      );
    for (const id of ids.slice(0, 40)) await report(id);
    await waitFor('all of them to be told', () => statusesAre('delivered'));
    let goOn = (): void => undefined;
    sink.delay = new Promise((resolve) => (goOn = resolve));
    for (const id of ids.slice(40)) await report(id);
    await waitFor('some to be under way', () => sink.requests.length > 40);
    await platform.kill();
    goOn();
    await platform.start();
    await waitFor('each to be told or held back', () => statusesAre('delivered', 'suppressed'));
    expect(mostAtOnce(sink.requests.map(({ atMs }) => atMs))).toBeLessThanOrEqual(CHANNEL_LIMIT);
    // A place is kept also for what was claimed and not sent yet, of which there are a few.
    expect(sink.requests.length).toBeGreaterThan(CHANNEL_LIMIT - 10);
  });
});

/** The most times of an ascending list that lie within one window. */
function mostAtOnce(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((ms) => ms >= from && ms < from + WINDOW_MS).length));
}
