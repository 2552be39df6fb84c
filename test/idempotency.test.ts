import { describe, expect, onTestFinished, test } from 'vitest';
import type { Answer } from './rig/client.js';
import { figure } from './rig/figure.js';
import { inference, model } from './rig/fixtures.js';
import { OwnMetrics } from './rig/own-metrics.js';
import { openPlatform, type Platform, PROFILES } from './rig/platform.js';
import { CAN_RUN_PRODUCTION, openProduction } from './rig/production-platform.js';
import { drained, storedIds } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

/** What one request was told, without what names the request itself. */
function essence({ status, text }: Answer): unknown {
  return { status, text };
}

const BATCH = {
  metrics: [
    inference('m', 'one', { latency: 5000 }),
    inference('m', 'two', { latency: -1 }),
    inference('m', 'three', { tags: { a: 'b' } }),
  ],
};

describe.each(PROFILES)('an Idempotency-Key, $name', (profile) => {
  function send(platform: Platform, key: string, body: object = BATCH, path = 'metrics/inference/batch') {
    return platform.client().post(path, body, { headers: { 'idempotency-key': key } });
  }

  test('sent a hundred times at once is stored once, and everybody hears the same', async () => {
    const platform = await openPlatform(profile);
    const api = platform.client();
    await api.must(api.post('models', model('m')));
    // What the first point of all takes at a database is not what this is about.
    await api.must(api.post('metrics/inference', inference('m', 'before')));
    await drained(platform);
    const answers = await Promise.all(Array.from({ length: 100 }, () => send(platform, 'the same')));
    expect(answers[0].status).toBe(207);
    expect(answers[0].json).toMatchObject({ accepted: 2, rejected: [{ index: 1, pointer: '/latency' }] });
    expect(new Set(answers.map((answer) => JSON.stringify(essence(answer)))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(99);
    await drained(platform);
    expect((await storedIds(api)).sort()).toEqual(['before', 'one', 'three']);
    const [alert, ...others] = await api.must(api.get('alerts'));
    expect(alert.occurrences).toBe(1);
    expect(others).toEqual([]);
    const metrics = await OwnMetrics.of(platform);
    expect(metrics.sum('tidemark_points_stored_total')).toBe(3);
  });

  test('is remembered over kill -9, and another body or route under it is refused', async () => {
    const platform = await openPlatform(profile);
    const api = platform.client();
    await api.must(api.post('models', model('m')));
    const single = inference('m', 'single');
    const first = await send(platform, 'batch key');
    const firstSingle = await send(platform, 'single key', single, 'metrics/inference');
    expect(essence(firstSingle)).toEqual({
      status: 201,
      text: '{"status":"success","message":"Metric collected successfully"}',
    });
    const before = await api.must(api.get('alerts'));
    for (let life = 0; life < 2; life++) {
      expect(essence(await send(platform, 'batch key'))).toEqual(essence(first));
      expect(essence(await send(platform, 'single key', single, 'metrics/inference'))).toEqual(essence(firstSingle));
      const refused = [
        await send(platform, 'batch key', { metrics: BATCH.metrics.slice(0, 1) }),
        await send(platform, 'batch key', { metrics: [] }, 'metrics/drift/batch'),
        await send(platform, 'single key', inference('m', 'other'), 'metrics/inference'),
        await send(platform, 'single key', BATCH),
      ];
      for (const answer of refused) expect(answer.status).toBe(422);
      expect(refused[0].json.code).toBe('idempotency_mismatch');
      if (life === 0) {
        await platform.kill();
        await platform.start();
      }
    }
    await drained(platform);
    expect((await storedIds(api)).sort()).toEqual(['one', 'single', 'three']);
    const after = await api.must(api.get('alerts'));
    expect(after.map(({ id }: { id: string }) => id)).toEqual(before.map(({ id }: { id: string }) => id));
    expect((await api.must(api.get(`alerts/${after[0].id}/events`))).events).toHaveLength(1);
  });

  test('belongs to its project, and a refused request does not use it up', async () => {
    const platform = await openPlatform(profile, { keys: [{ project: 'one' }, { project: 'two' }] });
    const clients = platform.keys.map((key) => platform.client({ key }));
    for (const [index, api] of clients.entries()) {
      const headers = { 'idempotency-key': 'shared' };
      const body = { metrics: [inference('m', `of project ${index}`)] };
      expect((await api.post('metrics/inference/batch', { metrics: [{}] }, { headers })).status).toBe(422);
      const answer = await api.post('metrics/inference/batch', body, { headers });
      expect([answer.status, answer.headers['idempotency-replayed']]).toEqual([201, undefined]);
      await drained(platform, platform.keys[index]);
      expect(await storedIds(api)).toEqual([`of project ${index}`]);
    }
  });

  test('of a batch that was under way at kill -9 stores it once when it is sent again', async () => {
    const platform = await openPlatform(profile);
    const api = platform.client();
    const bodies = Array.from({ length: 200 }, (_, i) => ({
      key: `k${i}`,
      body: { metrics: Array.from({ length: 50 }, (__, j) => inference('m', `${i}-${j}`)) },
    }));
    const sends = bodies.map(({ key, body }) => send(platform, key, body));
    const sending = Promise.allSettled(sends);
    await Promise.race(sends); // one has its answer, the others are anywhere
    await platform.kill();
    const ends = await sending;
    // A proxy whose instance is gone answers in its place.
    const unanswered = ends.filter((end) => end.status === 'rejected' || end.value.status >= 500).length;
    await platform.start();
    for (const { key, body } of bodies) {
      // Another instance may still believe that the one that was killed is at it, for half a minute at most.
      const answer = await waitFor(
        'the request to be let through',
        async () => {
          const got = await send(platform, key, body);
          return got.status === 409 ? null : got;
        },
        60_000,
      );
      expect(answer.json).toEqual({ accepted: 50, rejected: [] });
    }
    await drained(platform);
    const ids = await storedIds(api);
    expect(ids).toHaveLength(200 * 50);
    expect(new Set(ids).size).toBe(ids.length);
    expect(unanswered).toBeGreaterThan(0); // else nothing was under way
  });
});

describe.skipIf(!CAN_RUN_PRODUCTION)('an Idempotency-Key whose instance was killed', () => {
  test('is told to come back until the claim of the dead one ends, and is then stored once', async () => {
    const platform = await openProduction();
    const { apis, influxdb } = platform.stack;
    const clients = platform.instances.map((instance) => platform.clientOf(instance));
    const send = (by: number) =>
      clients[by].post('metrics/inference/batch', BATCH, { headers: { 'idempotency-key': 'of the dead' } });
    // Whoever has claimed it asks InfluxDB whether it came before, and hangs there.
    influxdb.pause();
    onTestFinished(() => influxdb.resume());
    const asked = clients.map((_, by) => send(by).then((answer) => ({ by, answer })));
    const late = Promise.allSettled(asked);
    const { by: other, answer: first } = await Promise.race(asked);
    expect(first).toMatchObject({
      status: 409,
      json: { code: 'idempotency_in_flight' },
      headers: { 'retry-after': '1' },
    });
    await apis[1 - other].kill();
    const killedMs = performance.now();
    influxdb.resume();
    expect((await late).map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused: Answer[] = [];
    const answer = await waitFor(
      'the claim of the dead instance to end',
      async () => {
        const got = await send(other);
        if (got.status === 409) refused.push(got);
        return got.status === 409 ? null : got;
      },
      60_000,
    );
    const waitedMs = performance.now() - killedMs;
    expect(answer).toMatchObject({ status: 207, json: { accepted: 2 } });
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers } of refused) expect(headers['retry-after']).toBe('1');
    const ids = await waitFor('both points', async () => {
      const found = await storedIds(clients[other]);
      return found.length >= 2 ? found : null;
    });
    expect(ids.sort()).toEqual(['one', 'three']);
    figure('a repeat after its instance was killed', `taken after ${(waitedMs / 1000).toFixed(1)} s`);
  });
});
