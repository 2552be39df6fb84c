import { describe, expect, onTestFinished, test } from 'vitest';
import type { Client, Json } from './rig/client.js';
import { inference, model } from './rig/fixtures.js';
import { ALONE, openPlatform, type Platform, PROFILES } from './rig/platform.js';
import { HttpSink } from './rig/receivers/http-sink.js';
import { ThreeReceivers } from './rig/receivers/three-receivers.js';
import { settledLedger } from './rig/settled-ledger.js';
import { drained } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

const ENDS: readonly (readonly [string, (platform: Platform) => Promise<void>])[] = [
  ['an orderly stop', async (platform) => expect(await platform.stop()).toEqual({ code: 0, signal: null })],
  ['kill -9', (platform) => platform.kill()],
];

/** After all points, and the same for every reading: the windows must not move with time. */
const UNTIL = new Date(Date.now() + 3_600_000).toISOString();

/** Everything that a person can read of a platform, but for what moves with time. */
async function everything(api: Client): Promise<Json> {
  const read = (path: string): Promise<Json> => api.must(api.get(path));
  const alerts = await read('alerts');
  const { keys } = await read('keys');
  return {
    models: await read('models'),
    channels: await read('channels'),
    keys: keys.map((key: Json) => ({ ...key, last_used_at: null })),
    alerts,
    histories: await Promise.all(alerts.map(({ id }: Json) => read(`alerts/${id}/events`))),
    deliveries: (await read('deliveries')).deliveries.map(({ id, event_id, channel_id, created_at }: Json) => {
      return { id, event_id, channel_id, created_at };
    }),
    metrics: await read('metrics/inference'),
    drift: await read('metrics/drift'),
    summary: await read('summary'),
    daily: await read(`metrics/aggregated?window=1d&stat=p95&since=2026-01-01T00:00:00Z&until=${UNTIL}`),
  };
}

describe.each(PROFILES)('a restart, $name', { timeout: 300_000 }, (profile) => {
  test.each(ENDS)(
    'after %s nothing is missing, and what waited is delivered under its own event id',
    async (_, end) => {
      const receivers = await ThreeReceivers.open();
      const keys = [{}, { scopes: ['read'], name: 'reader' }];
      const platform = await openPlatform(profile, { env: { SMTP_URL: receivers.mail.url }, keys });
      const [key, reader] = platform.keys;
      const api = platform.client({ key });
      const channels = await receivers.connect(api);
      await api.must(api.post('models', model('calm', { thresholds: { gpu_memory: 0.5 } })));
      await api.must(api.post('models', model('gone', { channels: [channels.slack] })));
      await api.must(api.post('models', model('ill', { resolve_after: 7200, repeat_interval: 9000 })));
      await api.must(api.delete('models/gone'));
      for (let i = 0; i < 30; i++) {
        await api.must(
          api.post('metrics/inference', inference('calm', `c${i}`, { latency: i + 1, tags: { n: `${i % 3}` } })),
        );
      }
      const drift = { model_id: 'calm', drift_type: 'concept', severity: 'high', confidence: 0.9, tags: { by: 'psi' } };
      await api.must(api.post('metrics/drift', drift));
      const [{ id: drifted }] = await api.must(api.get('alerts'));
      await settledLedger(api, drifted, 3);
      await api.must(api.post(`alerts/${drifted}/resolve`, { by: 'Ada', comment: 'seasonal' }));
      await settledLedger(api, drifted, 6);

      await receivers.webhook.down();
      await api.must(api.post('metrics/inference', inference('ill', 'i1', { latency: 4000, error_rate: 0.01 })));
      const [{ id: firing }] = await api.must(api.get('alerts?resolved=false'));
      await api.must(api.post(`alerts/${firing}/acknowledge`, { by: 'Grace' }));
      await waitFor('every delivery of the firing alert to be tried', async () => {
        const { deliveries } = await api.must(api.get(`alerts/${firing}/deliveries`));
        return deliveries.every(({ attempts }: Json) => attempts > 0);
      });
      const { deliveries } = await api.must(api.get('deliveries?status=pending'));
      expect(deliveries.map(({ channel_id }: Json) => channel_id)).toEqual([channels.webhook]);
      await drained(platform, key);
      const before = await everything(api);

      await end(platform);
      await platform.start();
      expect(await everything(api)).toEqual(before);
      expect((await platform.client().get('alerts')).status).toBe(401);
      expect((await platform.client({ key: reader }).get('models/ill')).json).toMatchObject({ resolve_after: 7200 });

      await receivers.webhook.up();
      const ledger = await settledLedger(api, firing, 3);
      expect(ledger.every(({ status }) => status === 'delivered')).toBe(true);
      const late = receivers.calls().filter(({ alert_id }) => alert_id === firing);
      expect(late.map(({ event, event_id }) => [event, event_id])).toEqual([['fired', deliveries[0].event_id]]);
      expect(receivers.slack.requests).toHaveLength(3);
      expect(receivers.mail.mails).toHaveLength(3);

      // A breach goes on with the alert that fires since before the restart: nobody is told a second time.
      await api.must(api.post('metrics/inference', inference('ill', 'i2', { latency: 4100 })));
      const isCounted = async (): Promise<Json> => {
        const [alert] = await api.must(api.get('alerts?resolved=false'));
        return alert.occurrences > 1 ? alert : null;
      };
      // Several instances add what each has counted every few seconds.
      const counted = await waitFor('the breach to be counted', isCounted);
      expect(counted).toMatchObject({ id: firing, occurrences: 2, acknowledged_by: 'Grace' });
      expect((await api.must(api.get(`alerts/${firing}/deliveries`))).deliveries).toHaveLength(3);
    },
  );

  test('a delivery that is under way at kill -9 goes out again under the same event id', async () => {
    const receivers = await ThreeReceivers.open();
    const platform = await openPlatform(profile);
    const api = platform.client();
    const url = `${receivers.webhook.url}/hook`;
    await api.must(api.post('channels', { name: 'hook', kind: 'webhook', url, secret: `whsec_${'A'.repeat(32)}` }));
    await api.must(api.post('models', model('ill')));
    let heard = 0;
    receivers.webhook.answer = () => {
      heard++;
      return { status: 200 };
    };
    let release = (): void => undefined;
    receivers.webhook.delay = new Promise((resolve) => (release = resolve));
    await api.must(api.post('metrics/inference', inference('ill', 'i1', { latency: 4000 })));
    await waitFor('the call to arrive', () => receivers.webhook.requests.length === 1);
    await platform.kill();
    release();
    await platform.start();
    const [{ id }] = await api.must(api.get('alerts'));
    await settledLedger(api, id, 1);
    expect(heard).toBe(2);
    expect(new Set(receivers.webhook.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });
});

describe.each(ALONE)('a data folder, $name', (profile) => {
  test('a second platform over the same data is refused, and sends nothing again', async () => {
    const sink = await HttpSink.open();
    onTestFinished(() => sink.close());
    const platform = await openPlatform(profile);
    const api = platform.client();
    await api.must(api.post('channels', { name: 'hook', kind: 'webhook', url: sink.url }));
    await api.must(api.post('models', model('m')));
    let release = (): void => undefined;
    sink.delay = new Promise((resolve) => (release = resolve));
    await api.must(api.post('metrics/inference', inference('m', 'r', { latency: 9000 })));
    await waitFor('the call to arrive', () => sink.requests.length === 1);
    for (const port of ['0', new URL(platform.url).port]) {
      const second = profile.open({ dataDir: platform.dataDir, env: { API_PORT: port } });
      await expect(second).rejects.toThrow(/another Tidemark runs on/);
    }
    release();
    const [{ id }] = await api.must(api.get('alerts'));
    expect(await settledLedger(api, id, 1)).toMatchObject([{ status: 'delivered', attempts: 1 }]);
    expect(sink.requests).toHaveLength(1);
    expect((await api.post('metrics/inference', inference('m', 'r2'))).status).toBe(201);
  });
});
