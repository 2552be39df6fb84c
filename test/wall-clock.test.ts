import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Client, Json } from './rig/client.js';
import { inference, model } from './rig/fixtures.js';
import { openPlatform, PROFILES } from './rig/platform.js';
import { HttpSink } from './rig/receivers/http-sink.js';
import { skipUnless } from './rig/skip.js';
import { waitFor } from './rig/wait-for.js';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

/** TurnedClock is a wall clock that a test turns while the platform runs; its steady clock goes on undisturbed. */
class TurnedClock {
  private constructor(private readonly file: string) {}

  static async open(): Promise<TurnedClock> {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-clock-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const clock = new TurnedClock(join(folder, 'faketime'));
    await clock.turn(0);
    return clock;
  }

  get env(): Record<string, string> {
    return {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** turn sets the clock so many seconds off the true time. */
  async turn(seconds: number): Promise<void> {
    await writeFile(this.file, `${seconds >= 0 ? '+' : ''}${seconds}\n`);
  }
}

const firing = async (api: Client): Promise<string[]> =>
  (await api.must(api.get('alerts?resolved=false&until=2100-01-01T00:00:00Z&since=2020-01-01T00:00:00Z')))
    .map(({ model_id }: Json) => model_id)
    .sort();

describe.each(PROFILES)('a wall clock that is turned, $name', (profile) => {
  test('by an hour forth and back misses no alert, doubles none, and makes no time negative', async (context) => {
    skipUnless(context, existsSync(LIBRARY) ? null : `there is no ${LIBRARY}; install the Debian package faketime`);
    const clock = await TurnedClock.open();
    const sink = await HttpSink.open();
    onTestFinished(() => sink.close());
    const platform = await openPlatform(profile, { env: clock.env });
    const api = platform.client();
    await api.must(api.post('channels', { name: 'hook', kind: 'webhook', url: sink.url }));
    const told = (): string[] =>
      sink.requests.map(({ body }) => {
        const { event, model_id } = JSON.parse(body);
        return `${event} ${model_id}`;
      });
    // Half an hour of quiet resolves, ten minutes of silence repeat: by the steady clock neither comes.
    const patient = { resolve_after: 1800, repeat_interval: 600 };
    await api.must(api.post('models', model('patient', patient)));
    for (const id of ['forth', 'back', 'last']) await api.must(api.post('models', model(id, { resolve_after: 3 })));
    let sent = 0;
    const breach = async (modelId: string): Promise<void> =>
      api.must(api.post('metrics/inference', inference(modelId, `r${sent++}`, { latency: 5000 })));
    const serverTime = async (): Promise<number> => Date.parse((await api.must(api.get('health'))).timestamp);
    const turnTo = async (seconds: number): Promise<void> => {
      await clock.turn(seconds);
      await waitFor(
        'the clock to be turned',
        async () => Math.abs((await serverTime()) - Date.now() - 1000 * seconds) < 60_000,
      );
    };

    await breach('patient');
    await waitFor('the first notice', () => told().length === 1);
    const keyed = { headers: { 'idempotency-key': 'k' } };
    await api.must(api.post('metrics/inference', inference('calm', 'keyed'), keyed));

    await turnTo(3600);
    await breach('forth'); // and the alert that fires since before goes on
    await breach('patient');
    await waitFor('the alert to end by the steady clock', () => told().includes('resolved forth'));
    expect(told().sort()).toEqual(['fired forth', 'fired patient', 'resolved forth']);

    await sink.down(); // a retry is due a few seconds after the clock is set back
    await breach('back');
    await waitFor('the first try to fail', async () => {
      const { deliveries } = await api.must(api.get('deliveries?status=pending'));
      return deliveries.some(({ attempts, model_id }: Json) => attempts > 0 && model_id === 'back');
    });
    await turnTo(-3600);
    await sink.up();
    await breach('last');
    await waitFor(
      'all to be told',
      () => ['resolved back', 'resolved last'].every((one) => told().includes(one)),
      60_000,
    );
    const again = await api.post('metrics/inference', inference('calm', 'keyed'), keyed);
    expect(again.headers['idempotency-replayed']).toBe('true');

    await turnTo(0);
    await breach('patient');
    await waitFor(
      'every delivery to be over',
      async () => (await api.must(api.get('deliveries?status=pending'))).deliveries.length === 0,
    );
    const wanted = ['fired patient', ...['forth', 'back', 'last'].flatMap((id) => [`fired ${id}`, `resolved ${id}`])];
    expect(told().sort()).toEqual(wanted.sort());
    const eventIds = sink.requests.map(({ headers }) => headers['webhook-id']);
    expect(new Set(eventIds).size).toBe(eventIds.length);
    expect(await firing(api)).toEqual(['patient']);

    // Every point is there, under the time that the server had; no window, and nothing that lasted, is negative.
    const range = `since=${new Date(Date.now() - 3 * 3_600_000).toISOString()}&until=${new Date(Date.now() + 3 * 3_600_000).toISOString()}`;
    expect((await api.must(api.get(`summary?${range}`))).total_requests).toBe(sent + 1);
    const { aggregated_metrics } = await api.must(
      api.get(`metrics/aggregated?${range}&stat=count&window=10m&metric=latency`),
    );
    const times = aggregated_metrics.latency.map(({ time }: Json) => Date.parse(time));
    expect(times).toEqual(times.toSorted((a: number, b: number) => a - b));
    const counted = aggregated_metrics.latency.reduce((sum: number, { value }: Json) => sum + (value ?? 0), 0);
    expect(counted).toBe(sent + 1);
    const alerts = await api.must(api.get(`alerts?${range}`));
    for (const { timestamp, resolved_at, last_breach_at } of alerts) {
      expect(Date.parse(resolved_at ?? last_breach_at)).toBeGreaterThanOrEqual(Date.parse(timestamp));
    }
    const metrics = await api.must(api.get(`metrics/inference?${range}`));
    expect(metrics.metrics).toHaveLength(sent + 1);
  });
});
