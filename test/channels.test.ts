import { describe, expect, onTestFinished, test } from 'vitest';
import type { Client, Json } from './rig/client.js';
import { inference, model } from './rig/fixtures.js';
import { openPlatform, PROFILES } from './rig/platform.js';
import { HttpSink } from './rig/receivers/http-sink.js';
import { SIGNING_SECRET, verified } from './rig/receivers/three-receivers.js';
import { settledLedger } from './rig/settled-ledger.js';
import { waitFor } from './rig/wait-for.js';

async function openSink(): Promise<HttpSink> {
  const sink = await HttpSink.open();
  onTestFinished(() => sink.close());
  return sink;
}

/** Raises a new alert of its own model and answers its id. */
async function alarm(api: Client, modelId: string): Promise<string> {
  await api.must(api.post('models', model(modelId)));
  await api.must(api.post('metrics/inference', inference(modelId, 'r', { latency: 9000 })));
  const [{ id }] = await api.must(api.get(`alerts?model_id=${modelId}`));
  return id;
}

describe.each(PROFILES)('what a receiver answers, $name', (profile) => {
  test('decides whether its channel goes on, waits, gives up or is turned off', async () => {
    const sink = await openSink();
    const platform = await openPlatform(profile);
    const api = platform.client();
    const hook = { name: 'hook', kind: 'webhook', url: `${sink.url}/hook`, method: 'PUT', secret: SIGNING_SECRET };
    const { id: channel } = await api.must(api.post('channels', { ...hook, headers: { 'X-Team': 'ml' } }));

    sink.answer = () => ({ status: 404 });
    const refused = await alarm(api, 'refused');
    const [dead] = await settledLedger(api, refused, 1);
    expect(dead).toMatchObject({ status: 'dead', attempts: 1, last_error: expect.stringMatching(/^HTTP 404: .*URL/) });
    expect((await api.must(api.get('deliveries?status=dead'))).deliveries).toHaveLength(1);

    sink.answer = () => ({ status: 302, headers: { location: `${sink.url}/elsewhere` } });
    const moved = await alarm(api, 'moved');
    expect((await settledLedger(api, moved, 1))[0].status).toBe('dead');
    expect(sink.requests.filter(({ path }) => path !== '/hook')).toEqual([]); // nobody followed

    sink.answer = () => ({ status: 503, headers: { 'retry-after': '1' } });
    const busy = await alarm(api, 'busy');
    await waitFor('the first try', async () => {
      const { deliveries } = await api.must(api.get(`alerts/${busy}/deliveries`));
      return deliveries[0].attempts > 0 && deliveries[0].last_error === 'HTTP 503';
    });
    expect(
      (await api.post(`deliveries/${(await api.must(api.get('deliveries?status=pending'))).deliveries[0].id}/replay`))
        .status,
    ).toBe(409);

    // A person mends the receiver: what was given up is replayed, under its own event id.
    sink.answer = () => ({ status: 204 });
    const replayed = await api.must(api.post(`deliveries/${dead.id}/replay`));
    expect(replayed).toMatchObject({ id: dead.id, event_id: dead.event_id, status: 'pending' });
    expect(await settledLedger(api, refused, 1)).toMatchObject([{ id: dead.id, status: 'delivered' }]);
    expect(await settledLedger(api, busy, 1)).toMatchObject([{ status: 'delivered' }]);
    const calls = sink.requests.map(({ headers, body }) => verified(headers, body));
    expect(new Set(calls.filter(({ model_id }) => model_id === 'refused').map(({ event_id }) => event_id)).size).toBe(
      1,
    );
    for (const { method, headers } of sink.requests) {
      expect([method, headers['x-team'], headers['content-type']]).toEqual(['PUT', 'ml', 'application/json']);
    }

    sink.answer = () => ({ status: 410 });
    const gone = await alarm(api, 'gone');
    expect((await settledLedger(api, gone, 1))[0].status).toBe('dead');
    const off = await waitFor('the channel to be turned off', async () => {
      const read = await api.must(api.get(`channels/${channel}`));
      return read.enabled ? null : read;
    });
    expect(off.disabled_reason).toMatch(/410/);
    const silent = await alarm(api, 'silent');
    expect((await api.must(api.get(`alerts/${silent}/deliveries`))).deliveries).toEqual([]);
    sink.answer = () => ({ status: 200 });
    await api.must(api.put(`channels/${channel}`, { enabled: true }));
    const heard = await alarm(api, 'heard');
    expect(await settledLedger(api, heard, 1)).toMatchObject([{ status: 'delivered' }]);
  });

  test('a channel that models notify goes by force only, and then leaves no model silent', async () => {
    const sink = await openSink();
    const platform = await openPlatform(profile);
    const api = platform.client();
    const make = async (path: string): Promise<string> =>
      (await api.must(api.post('channels', { name: path, kind: 'webhook', url: `${sink.url}/${path}` }))).id;
    const [own, common, spare] = [await make('own'), await make('common'), await make('spare')];
    await api.must(api.post('models', model('one', { channels: [own] })));
    await api.must(api.post('models', model('two', { channels: [own, common] })));

    const refused = await api.delete(`channels/${own}`);
    expect(refused).toMatchObject({ status: 409, json: { code: 'conflict' } });
    expect(refused.json.detail).toMatch(/^2 models notify this channel: "one", "two"; .*\?force=true/);
    expect((await api.delete(`channels/${own}?force=perhaps`)).status).toBe(422);
    expect((await api.delete(`channels/${own}?force=false`)).status).toBe(409);
    expect((await api.get(`channels/${own}`)).json.enabled).toBe(true);
    expect((await api.delete(`channels/${spare}`)).status).toBe(204);

    expect((await api.delete(`channels/${own}?force=true`)).status).toBe(204);
    expect((await api.delete(`channels/${own}?force=true`)).status).toBe(404);
    expect((await api.must(api.get('models/one'))).channels).toBeNull();
    expect((await api.must(api.get('models/two'))).channels).toEqual([common]);
    await api.must(api.post('metrics/inference', inference('one', 'r', { latency: 9000 })));
    const [{ id }] = await api.must(api.get('alerts?model_id=one'));
    expect(await settledLedger(api, id, 1)).toMatchObject([{ channel_id: common, status: 'delivered' }]);
    expect((await api.post('models', model('late', { channels: [own] }))).status).toBe(422);
  });

  test('what the limits held back is in the ledger, and counted in the next message', async () => {
    const sink = await openSink();
    const platform = await openPlatform(profile);
    const api = platform.client();
    await api.must(api.post('channels', { name: 'hook', kind: 'webhook', url: sink.url, secret: SIGNING_SECRET }));
    await api.must(api.post('models', model('flapping')));
    let turn = 0;
    const breach = (latency: number): Promise<Json> =>
      api.must(api.post('metrics/inference', inference('flapping', `r${turn++}`, { latency })));
    const current = async (): Promise<string> => (await api.must(api.get('alerts?limit=1')))[0].id;
    const end = async (id: string): Promise<Json> => api.must(api.post(`alerts/${id}/resolve`, { by: 'Ada' }));

    await breach(1100); // low
    const first = await current();
    await settledLedger(api, first, 1);
    await end(first);
    await settledLedger(api, first, 2);
    await breach(1100); // the same subject within five minutes
    const second = await current();
    expect(second).not.toBe(first);
    expect(await settledLedger(api, second, 1)).toMatchObject([{ event: 'fired', status: 'suppressed' }]);
    await breach(1900); // it gets worse: that is another subject
    const ledger = await settledLedger(api, second, 2);
    expect(ledger.map(({ event, status }) => `${event} ${status}`).sort()).toEqual([
      'escalated delivered',
      'fired suppressed',
    ]);
    await end(second);
    await settledLedger(api, second, 3);

    const told = sink.requests.map(({ headers, body }) => verified(headers, body));
    expect(told.map(({ event, severity }) => `${event} ${severity}`).slice(0, 3)).toEqual([
      'fired low',
      'resolved low',
      'escalated high',
    ]);
    expect(told[0].suppressed_since_last).toBeUndefined();
    expect(told[2].suppressed_since_last).toBe(1);
    const { deliveries } = await api.must(api.get('deliveries'));
    expect(deliveries).toHaveLength(5); // every notification there ever was has its row
    expect(deliveries.filter(({ status }: Json) => status === 'delivered')).toHaveLength(told.length);
  });

  test('an address inside the network is not reached, however it is written', async () => {
    const sink = await openSink();
    const { port } = new URL(sink.url);
    const platform = await openPlatform(profile, { env: { TIDEMARK_ALLOWED_TARGETS: '' } });
    const api = platform.client();
    const hosts = [
      ...['127.0.0.1', 'localhost', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0.0.0.0', '0'],
      ...['[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '169.254.169.254', '10.0.0.1'],
      ...['user@127.0.0.1', '127.0.0.1.'],
    ];
    for (const host of hosts) {
      for (const kind of ['webhook', 'slack']) {
        const made = await api.post('channels', { name: host, kind, url: `http://${host}:${port}/hook` });
        if (made.status === 422) continue;
        const tried = await api.must(api.post(`channels/${made.json.id}/test`));
        expect([host, tried.outcome]).toEqual([host, 'rejected']);
      }
      const smtp = { name: host, kind: 'email', to: ['a@example.test'], smtp_url: `smtp://${host}:${port}?tls=off` };
      const made = await api.post('channels', smtp);
      if (made.status === 422) continue;
      const tried = await api.must(api.post(`channels/${made.json.id}/test`));
      expect([host, tried.outcome]).not.toEqual([host, 'delivered']);
    }
    await alarm(api, 'm');
    await waitFor('every delivery to be tried', async () => {
      const { deliveries } = await api.must(api.get('deliveries?limit=1000'));
      return deliveries.length > 20 && deliveries.every(({ attempts }: Json) => attempts > 0);
    });
    expect(sink.connections).toBe(0);
  });
});
