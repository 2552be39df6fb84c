import { expect } from 'vitest';
import type { Client, Json } from './client.js';
import { inference, model } from './fixtures.js';
import { IngestLoad, type SentBatch } from './ingest-load.js';
import type { Platform } from './platform.js';
import type { HttpSink } from './receivers/http-sink.js';
import { settledLedger } from './settled-ledger.js';
import { drained, reckon, storedIds } from './stored-points.js';
import { waitFor } from './wait-for.js';

const HOUR_MS = 3_600_000;
const BUSY = ['busy-0', 'busy-1'];
const SECRET = `whsec_${'A'.repeat(32)}`;

/** Scene is a platform with a past: a key, models, a channel, an alert that was told, points of today and of yesterday. */
export class Scene {
  private constructor(
    readonly channel: string,
    readonly alert: string,
    private readonly range: string,
    private readonly before: Json,
    private readonly load: IngestLoad,
  ) {}

  /** play gives a platform its past, and lets points come from then on. */
  static async play(platform: Platform, api: Client, sink: HttpSink): Promise<Scene> {
    const { id: channel } = await api.must(
      api.post('channels', { name: 'hook', kind: 'webhook', url: `${sink.url}/hook`, secret: SECRET }),
    );
    for (const id of ['calm', 'ill', ...BUSY]) await api.must(api.post('models', model(id, { resolve_after: 3600 })));
    const sinceMs = Date.now() - 30 * HOUR_MS;
    const metrics = Array.from({ length: 600 }, (_, i) =>
      inference('calm', `calm-${i}`, { latency: i + 1, timestamp: sinceMs + HOUR_MS + i * 0.045 * HOUR_MS }),
    );
    await api.must(api.post('metrics/inference/batch', { metrics }));
    await api.must(api.post('metrics/inference', inference('ill', 'ill-1', { latency: 4000 })));
    const [{ id: alert }] = await api.must(api.get('alerts'));
    await settledLedger(api, alert, 1);
    await drained(platform, platform.keys[0]);
    const load = new IngestLoad(platform.client({ key: platform.keys[0] }), {
      ...{ prefix: 'busy', modelIds: BUSY, batchSize: 50, connections: 4, pointsPerSecond: 1000 },
    });
    await waitFor('points to come', () => load.points('acknowledged') > 1000);
    // Of whole hours and with an end: the windows must not move with time.
    const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const [since, until] = [hourMs - 48 * HOUR_MS, hourMs].map((ms) => new Date(ms).toISOString());
    const range = `since=${since}&until=${until}`;
    return new Scene(channel, alert, range, await everything(api, range), load);
  }

  /** acknowledged are the batches that had their 201 until now. */
  acknowledged(): SentBatch[] {
    return this.load.batches.filter(({ fate }) => fate === 'acknowledged').map((batch) => ({ ...batch }));
  }

  /** stop ends the points. */
  stop(): Promise<void> {
    return this.load.stop();
  }

  /** expectRestored looks whether all that was there when the backup began is there. */
  async expectRestored(api: Client, acknowledged: readonly SentBatch[]): Promise<void> {
    // What waited in a spool is drained first.
    const ids = await waitFor('every acknowledged point', async () => {
      const found = await storedIds(api);
      return reckon(acknowledged, found).lost.length === 0 ? found : null;
    });
    expect(reckon(acknowledged, ids)).toMatchObject({ lost: [], torn: [], doubled: [] });
    expect(await everything(api, this.range)).toEqual(this.before);
    // By the rollups and what they do not count yet; points that came while the backup was made may be there.
    const busy = ids.filter((id) => id.startsWith('busy')).length;
    const counted = await countOf(api, BUSY);
    expect(counted).toBeLessThanOrEqual(busy);
    expect(counted).toBeGreaterThanOrEqual(acknowledged.reduce((sum, { size }) => sum + size, 0));
  }

  /** expectGoesOn looks whether channels open, points are taken, and alerts are told as before. */
  async expectGoesOn(api: Client, sink: HttpSink, name: string): Promise<void> {
    const told = () => sink.requests.filter(({ body }) => body.includes(name)).length;
    expect(await api.must(api.post(`channels/${this.channel}/test`, {}))).toMatchObject({ outcome: 'delivered' });
    expect(sink.requests.at(-1)?.headers['webhook-signature']).toMatch(/^v1,/);
    // The alert that fires since before the backup goes on, and nobody is told a second time.
    const { occurrences } = await api.must(api.get(`alerts/${this.alert}`));
    await api.must(api.post('metrics/inference', inference('ill', name, { latency: 4000 })));
    expect(await api.must(api.get(`alerts/${this.alert}/deliveries`))).toMatchObject({ deliveries: [{}] });
    await waitFor('the breach to be counted', async () => {
      return (await api.must(api.get(`alerts/${this.alert}`))).occurrences > occurrences;
    });
    await api.must(api.post('models', model(name)));
    await api.must(api.post('metrics/inference', inference(name, name, { latency: 4000 })));
    await waitFor('the new alert to be told', () => told() === 1);
    expect((await api.get(`metrics/inference?model_id=${name}`)).text).toContain(name);
  }
}

/** Everything that was there before and that points of other models do not change. */
async function everything(api: Client, range: string): Promise<Json> {
  const read = (path: string): Promise<Json> => api.must(api.get(path));
  const alerts = await read('alerts');
  const { keys } = await read('keys');
  const figures = (stat: string): Promise<Json> =>
    read(`metrics/aggregated?model_id=calm&window=1h&metric=latency&stat=${stat}&${range}`);
  return {
    models: await read('models'),
    channels: await read('channels'),
    keys: keys.map((key: Json) => ({ ...key, last_used_at: null })),
    alerts: alerts.map((alert: Json) => ({ ...alert, duration: null })),
    histories: await Promise.all(alerts.map(({ id }: Json) => read(`alerts/${id}/events`))),
    deliveries: (await read('deliveries')).deliveries,
    calm: await read('metrics/inference?model_id=calm&since_hours=48'),
    summary: await read(`summary?model_id=calm&${range}`),
    counts: await figures('count'),
    p95: await figures('p95'),
  };
}

async function countOf(api: Client, models: readonly string[]): Promise<number> {
  const requests = models.map(async (id) => (await api.must(api.get(`summary?model_id=${id}`))).total_requests);
  return (await Promise.all(requests)).reduce((sum: number, count: number) => sum + count, 0);
}
