import { setTimeout as pause } from 'node:timers/promises';
import { Tidemark } from '@tidemark/sdk';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Json } from './rig/client.js';
import { inference, model } from './rig/fixtures.js';
import { OwnMetrics } from './rig/own-metrics.js';
import { openPlatform, PROFILES } from './rig/platform.js';
import { ThreeReceivers } from './rig/receivers/three-receivers.js';
import { settledLedger } from './rig/settled-ledger.js';
import { drained } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

const LIMIT_MS = 400;
const SLOW_MS = 1100;

describe.each(PROFILES)('the main job, $name', (profile) => {
  test('a function that gets slow is told to three people, each once, and so is its recovery', async () => {
    const receivers = await ThreeReceivers.open();
    const platform = await openPlatform(profile, { env: { SMTP_URL: receivers.mail.url } });
    const api = platform.client();
    const channels = await receivers.connect(api);
    const limits = { thresholds: { latency: LIMIT_MS }, resolve_after: 3600 };
    await api.must(api.post('models', model('summariser', limits)));

    const tidemark = new Tidemark({ url: platform.url, flushIntervalMs: 50 });
    onTestFinished(async () => void (await tidemark.close()));
    let waitMs = 0;
    const summarise = tidemark.observe(
      async (text: string) => {
        if (waitMs > 0) await pause(waitMs);
        return text.slice(0, 10);
      },
      { modelId: 'summariser', modelType: 'llm', tags: { region: 'eu' } },
    );
    for (let call = 0; call < 20; call++) expect(await summarise('a long text to shorten')).toBe('a long tex');
    await tidemark.flush();
    expect(await api.must(api.get('alerts'))).toEqual([]);

    waitMs = SLOW_MS;
    await Promise.all(Array.from({ length: 10 }, () => summarise('text')));
    await tidemark.flush();
    waitMs = 0;

    // Acknowledged means evaluated and committed: the alert is there when the SDK has its answer.
    const [alert] = await api.must(api.get('alerts'));
    expect(alert).toMatchObject({
      model_id: 'summariser',
      alert_type: 'latency',
      rule: 'latency',
      severity: 'critical',
      threshold: LIMIT_MS,
      occurrences: 10,
      resolved: false,
    });
    expect(alert.message).toMatch(/^High latency detected: \d+\.\dms \(threshold: 400\.0ms\)$/);
    await settledLedger(api, alert.id, 3);
    expect(receivers.subjects()).toEqual(['[CRITICAL] summariser: High latency detected']);
    expect(receivers.slackTitles()).toEqual(['[CRITICAL] summariser: High latency detected']);
    expect(receivers.calls()).toHaveLength(1);
    expect(receivers.calls()[0]).toMatchObject({
      event: 'fired',
      alert_id: alert.id,
      project: 'default',
      model_id: 'summariser',
      message: alert.message,
      severity: 'critical',
      resolved: false,
    });

    // Only now, so that it is not over before all this was looked at.
    await api.must(api.put('models/summariser', model('summariser', { ...limits, resolve_after: 2 })));
    for (let call = 0; call < 5; call++) await summarise('text');
    await tidemark.flush();
    const ledger = await settledLedger(api, alert.id, 6);
    expect(ledger.every(({ status }) => status === 'delivered')).toBe(true);
    const told = ledger.map(({ channel_id, event }) => `${event} ${channel_id}`).sort();
    const wanted = Object.values(channels).flatMap((id) => [`fired ${id}`, `resolved ${id}`]);
    expect(told).toEqual(wanted.sort());
    expect(receivers.subjects()).toHaveLength(2);
    expect(receivers.subjects()[1]).toBe('[RESOLVED] summariser: High latency detected');
    expect(receivers.slackTitles()).toHaveLength(2);
    expect(receivers.slackTitles()[1]).toBe('[RESOLVED] summariser: High latency detected');
    const calls = receivers.calls();
    expect(calls.map(({ event, resolved }) => [event, resolved])).toEqual([
      ['fired', false],
      ['resolved', true],
    ]);

    const { events } = await api.must(api.get(`alerts/${alert.id}/events`));
    expect(events.map(({ event }: Json) => event)).toEqual(['fired', 'resolved']);
    expect(calls.map(({ event_id }) => event_id)).toEqual(events.map(({ event_id }: Json) => event_id));
    const mailIds = receivers.mail.mails.map(({ parsed }) => parsed.messageId?.replace(/^<|@.*$/g, ''));
    expect(mailIds).toEqual(calls.map(({ event_id }) => event_id));
    const all = await api.must(api.get('deliveries?status=delivered'));
    expect(all.deliveries.map(({ id }: Json) => id).sort()).toEqual(ledger.map(({ id }) => id).sort());
    expect(tidemark.stats()).toMatchObject({ recorded: 35, accepted: 35, rejected: 0, dropped: 0 });
    await drained(platform);
    expect(await api.must(api.get('summary?model_id=summariser'))).toMatchObject({
      total_requests: 35,
      active_alerts: 0,
    });
  });

  test('whoever acknowledges and resolves an alert is in its history, with the reason', async () => {
    const receivers = await ThreeReceivers.open();
    const platform = await openPlatform(profile, { env: { SMTP_URL: receivers.mail.url } });
    const api = platform.client();
    await receivers.connect(api);
    await api.must(api.post('models', model('ranker', { resolve_after: 3600 })));
    await api.must(api.post('metrics/inference', inference('ranker', 'r1', { latency: 1300 })));
    const [{ id }] = await api.must(api.get('alerts'));

    const seen = await api.must(api.post(`alerts/${id}/acknowledge`, { by: 'Ada', comment: 'looking at the GPU' }));
    expect(seen).toMatchObject({
      acknowledged: true,
      acknowledged_by: 'Ada',
      acknowledge_comment: 'looking at the GPU',
    });
    await api.must(api.post('metrics/inference', inference('ranker', 'r2', { latency: 1200 })));
    // Another instance may have counted it, which this one hears of within seconds.
    await waitFor('the second breach to be counted', async () => {
      const seen = platform.instances.map(async (url) => (await fetch(`${url}/api/v1/alerts/${id}`)).json());
      return (await Promise.all(seen)).every(({ occurrences }) => occurrences === 2);
    });
    const done = await api.must(api.post(`alerts/${id}/resolve`, { by: 'Grace', comment: 'rolled back to v1' }));
    expect(done).toMatchObject({
      resolved: true,
      resolved_by: 'Grace',
      resolve_comment: 'rolled back to v1',
      occurrences: 2,
    });
    expect(done.acknowledged_by).toBe('Ada');

    const { events } = await api.must(api.get(`alerts/${id}/events`));
    expect(events.map(({ event, by, comment }: Json) => [event, by, comment])).toEqual([
      ['fired', null, null],
      ['acknowledged', 'Ada', 'looking at the GPU'],
      ['resolved', 'Grace', 'rolled back to v1'],
    ]);
    const ledger = await settledLedger(api, id, 6);
    expect(ledger.every(({ status }) => status === 'delivered')).toBe(true);
    expect(receivers.calls().map(({ event }) => event)).toEqual(['fired', 'resolved']);

    // Resolved again changes nothing; a new breach is a new alert with a history of its own.
    expect((await api.post('alerts/resolve', { alert_id: id })).json).toEqual({
      status: 'success',
      message: 'Alert resolved successfully',
    });
    await api.must(api.post('metrics/inference', inference('ranker', 'r3', { latency: 5000 })));
    const alerts = await api.must(api.get('alerts'));
    expect(alerts.map(({ resolved }: Json) => resolved)).toEqual([false, true]);
    expect((await api.must(api.get(`alerts/${id}/events`))).events).toEqual(events);
  });

  test('a channel that was away for a while is told afterwards, once, and the others at once', async () => {
    const receivers = await ThreeReceivers.open();
    const platform = await openPlatform(profile, { env: { SMTP_URL: receivers.mail.url } });
    const api = platform.client();
    const channels = await receivers.connect(api);
    await api.must(api.post('models', model('detector')));
    await Promise.all([receivers.webhook.down(), receivers.mail.down()]);

    await api.must(api.post('metrics/inference', inference('detector', 'r1', { latency: 9000 })));
    const [{ id }] = await api.must(api.get('alerts'));
    const waiting = await waitFor('the first try of two channels to fail', async () => {
      const { deliveries } = await api.must(api.get(`alerts/${id}/deliveries`));
      const tried = deliveries.filter(({ attempts }: Json) => attempts > 0);
      return tried.length === 3 ? deliveries : null;
    });
    const byChannel = new Map<string, Json>(waiting.map((delivery: Json) => [delivery.channel_id, delivery]));
    expect(byChannel.get(channels.slack)).toMatchObject({ status: 'delivered', attempts: 1, last_error: null });
    expect(byChannel.get(channels.webhook)).toMatchObject({ status: 'pending' });
    expect(byChannel.get(channels.webhook).last_error).toMatch(/./);
    expect(byChannel.get(channels.email)).toMatchObject({ status: 'pending' });

    await Promise.all([receivers.webhook.up(), receivers.mail.up()]);
    const ledger = await settledLedger(api, id, 3);
    expect(ledger.map(({ status }) => status)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(receivers.calls().map(({ event }) => event)).toEqual(['fired']);
    expect(receivers.subjects()).toEqual(['[CRITICAL] detector: High latency detected']);
    expect(receivers.slackTitles()).toHaveLength(1);
    const late = await api.must(api.get(`deliveries/${byChannel.get(channels.webhook).id}`));
    expect(late.tries.length).toBeGreaterThan(1);
    expect(late.tries.at(-1).outcome).toBe('delivered');
  });

  test('what happened days ago is stored, counted, and wakes nobody', async () => {
    const platform = await openPlatform(profile, {});
    const api = platform.client();
    await api.must(api.post('models', model('archive')));
    const hoursAgo = (hours: number) => ({ timestamp: Date.now() - hours * 3_600_000 });
    const drift = { model_id: 'archive', drift_type: 'data', severity: 'critical', confidence: 0.9 };
    await api.must(api.post('metrics/inference', inference('archive', 'old', { latency: 9000, ...hoursAgo(25) })));
    await api.must(api.post('metrics/drift', { ...drift, ...hoursAgo(25) }));
    expect(await api.must(api.get('alerts'))).toEqual([]);
    await drained(platform);
    const { metrics } = await api.must(api.get('metrics/inference?model_id=archive&since_hours=48'));
    expect(metrics).toMatchObject([{ request_id: 'old', latency: 9000 }]);

    // What a client kept for hours, because it could not reach the server, is still news.
    await api.must(api.post('metrics/inference', inference('archive', 'late', { latency: 9000, ...hoursAgo(23) })));
    expect(await api.must(api.get('alerts'))).toMatchObject([{ model_id: 'archive', occurrences: 1 }]);

    const counted = await OwnMetrics.of(platform);
    const tooOld = (kind: string) => counted.sum('tidemark_points_too_old_for_alerts_total', `kind="${kind}"`);
    expect([tooOld('inference'), tooOld('drift')]).toEqual([1, 1]);
  });
});
