import { describe, expect, test } from 'vitest';
import type { Json } from './rig/client.js';
import { figure, megabytes } from './rig/figure.js';
import { inference, model } from './rig/fixtures.js';
import { LiveListener } from './rig/live-listener.js';
import { OwnMetrics } from './rig/own-metrics.js';
import { openPlatform, PROFILES } from './rig/platform.js';
import { drained } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

const PAGE = 'https://board.example.test';

describe.each(PROFILES)('the live feed, $name', (profile) => {
  test('is closed to whoever has no key, a wrong one, or comes from a page elsewhere', async () => {
    const platform = await openPlatform(profile, { env: { TIDEMARK_ALLOWED_ORIGINS: PAGE } });
    const { url } = platform;
    expect(await LiveListener.refusal(url)).toBe(101);
    expect(await LiveListener.refusal(url, { origin: 'https://evil.example' })).toBe(403);
    expect(await LiveListener.refusal(url, { headers: { host: 'evil.example' } })).toBe(403);
    const { secret: key } = await platform
      .client()
      .must(platform.client().post('keys', { name: 'a', scopes: ['admin'] }));
    const writer = (await platform.client({ key }).post('keys', { name: 'w', scopes: ['write'] })).json.secret;
    expect(await LiveListener.refusal(url)).toBe(401);
    expect(await LiveListener.refusal(url, { headers: { 'x-api-key': `${key}x` } })).toBe(401);
    expect(await LiveListener.refusal(url, { headers: { 'x-api-key': writer } })).toBe(403);
    expect(await LiveListener.refusal(url, { query: `?key=${key}` })).toBe(401);
    expect(await LiveListener.refusal(url, { headers: { authorization: `Bearer ${key}` } })).toBe(101);

    const ticket = async (): Promise<string> => (await platform.client({ key }).post('live/ticket')).json.ticket;
    const query = `?ticket=${await ticket()}`;
    expect(await LiveListener.refusal(url, { query, origin: PAGE })).toBe(101);
    expect(await LiveListener.refusal(url, { query, origin: PAGE })).toBe(401); // for one use
    expect(await LiveListener.refusal(url, { query: '?ticket=guessed' })).toBe(401);
    const stolen = `?ticket=${await ticket()}`;
    expect(await LiveListener.refusal(url, { query: stolen, origin: 'https://evil.example' })).toBe(403);
  });

  test('shows what was acknowledged, in order and once, and to nobody of another project', async () => {
    const platform = await openPlatform(profile, { keys: [{ project: 'ours' }, { project: 'theirs' }] });
    const [ourKey, theirKey] = platform.keys;
    const api = platform.client({ key: ourKey });
    await api.must(api.post('models', model('m')));
    await api.must(api.post('metrics/inference', inference('m', 'before')));
    const ours = await LiveListener.open(platform.url, { headers: { 'x-api-key': ourKey } });
    const theirs = await LiveListener.open(platform.url, { headers: { 'x-api-key': theirKey } });
    const snapshot = await ours.follow();
    expect(snapshot.metrics.map(({ request_id }: Json) => request_id)).toEqual(['before']);
    expect((await theirs.follow({ models: ['*', 'm'] })).metrics).toEqual([]);

    const wanted: string[] = [];
    for (let batch = 0; batch < 20; batch++) {
      const ids = Array.from({ length: 50 }, (_, i) => `b${batch}-${i}`);
      await api.must(api.post('metrics/inference/batch', { metrics: ids.map((id) => inference('m', id)) }));
      wanted.push(...ids);
    }
    await api.must(api.post('metrics/drift', { model_id: 'm', drift_type: 'data', severity: 'high', confidence: 0.9 }));
    await waitFor(
      'everything to be shown',
      () =>
        ours.items('inference').length >= 1000 &&
        (['drift', 'alert'] as const).every((kind) => ours.items(kind).length > 0),
    );
    expect(ours.items('inference').map(({ request_id }) => request_id)).toEqual(wanted);
    expect(ours.items('drift')).toMatchObject([{ drift_type: 'data', severity: 'high' }]);
    const [alert] = await api.must(api.get('alerts'));
    expect(ours.items('alert')).toEqual([alert]);
    expect(ours.heard.filter(({ type }) => type === 'lagged')).toEqual([]);

    // Their own is shown to them, and nothing else has been by then.
    const their = platform.client({ key: theirKey });
    await their.must(their.post('metrics/inference', inference('m', 'theirs')));
    await waitFor('their own metric', () => theirs.items('inference').length > 0);
    expect(theirs.items('inference').map(({ request_id }) => request_id)).toEqual(['theirs']);
    expect(theirs.items('alert')).toEqual([]);

    // Who comes back is told what was missed; who comes back after a restart is told that it was one.
    const seq = ours.heard.at(-1).seq;
    ours.close();
    await api.must(api.post('metrics/inference', inference('m', 'missed')));
    const again = await LiveListener.open(platform.url, { headers: { 'x-api-key': ourKey } });
    expect(await again.follow({ since_seq: seq })).toMatchObject({ resumed: true, metrics: [] });
    await waitFor('what was missed', () => again.items('inference').length > 0);
    expect(again.items('inference').map(({ request_id }) => request_id)).toEqual(['missed']);
    await platform.kill();
    await waitFor('the connection to end', () => again.closeCode !== null);
    await platform.start();
    const after = await LiveListener.open(platform.url, { headers: { 'x-api-key': ourKey } });
    const whole = await after.follow({ since_seq: again.heard.at(-1).seq });
    expect(whole.resumed).toBe(false);
    expect(whole.metrics[0].request_id).toBe('missed');
    expect(whole.alerts).toMatchObject([{ id: alert.id }]);
    const lagged = await waitFor('what may be lost', () => after.heard.find(({ type }) => type === 'lagged'));
    expect(lagged).toMatchObject({ restarted: true });
  });

  test(
    'sends away who shouts, and a client that stopped reading costs nobody else anything',
    { timeout: 180_000 },
    async () => {
      const platform = await openPlatform(profile);
      const api = platform.client();
      const [large, fast, stuck, good] = await Promise.all(
        Array.from({ length: 4 }, () => LiveListener.open(platform.url)),
      );
      await Promise.all([stuck.follow(), good.follow()]);
      large.say(JSON.stringify({ type: 'ping', filler: 'x'.repeat(1_000_000) }));
      for (let i = 0; i < 200; i++) fast.say({ type: 'ping' });
      await waitFor('both to be closed', () => large.closeCode !== null && fast.closeCode !== null);
      expect([large.closeCode, fast.closeCode]).toEqual([1009, 1008]);
      good.say('{"type":');
      await waitFor('the error', () => good.heard.some(({ type }) => type === 'error'));

      const { seq } = stuck.heard.at(-1);
      stuck.pause();
      const before = platform.process.residentBytes();
      let sent = 0;
      const isLetGo = async (): Promise<boolean> => (await OwnMetrics.of(platform)).sum('tidemark_live_clients') === 1;
      await waitFor(
        'the client that does not read to be let go',
        async () => {
          const metrics = Array.from({ length: 500 }, () => inference('m', `r${sent++}`, { values: { a: 1, b: 2 } }));
          await api.must(api.post('metrics/inference/batch', { metrics }));
          return isLetGo();
        },
        90_000,
      );
      const told = (): number =>
        good.items('inference').length +
        good.heard.reduce((sum, { type, dropped }) => sum + (type === 'lagged' ? dropped : 0), 0);
      await waitFor('the other client to have heard of everything', () => told() === sent);
      const back = await LiveListener.open(platform.url);
      await back.follow({ since_seq: seq });
      const lagged = await waitFor('what is lost', () => back.heard.find(({ type }) => type === 'lagged'));
      expect(lagged.dropped).toBeGreaterThan(0); // who comes back is told how much is lost
      expect(lagged.dropped).toBeLessThanOrEqual(sent);
      await drained(platform);
      const takenBytes = platform.process.residentBytes() - before;
      figure(`a client that stopped reading, ${profile.name}`, megabytes(takenBytes));
      expect(takenBytes).toBeLessThan(200 * 1_048_576);
      expect(good.closeCode).toBeNull();
      expect((await api.get('summary')).json.total_requests).toBe(sent);
    },
  );

  test('ends with the platform, and the clients are told', async () => {
    const platform = await openPlatform(profile);
    const listener = await LiveListener.open(platform.url);
    await listener.follow();
    expect(await platform.stop()).toEqual({ code: 0, signal: null });
    await waitFor('the connection to end', () => listener.closeCode !== null);
    expect(listener.closeCode).toBe(1001);
  });
});
