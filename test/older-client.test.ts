import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Client, Json } from './rig/client.js';
import { type Platform, PROFILES } from './rig/platform.js';
import { drained } from './rig/stored-points.js';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const USUAL = { latency: 1000, error_rate: 0.05, gpu_memory: 0.8, cpu_usage: 0.8, memory_usage: 0.8 };
const NO_USAGE = { gpu_memory: null, cpu_usage: null, memory_usage: null };

/**
 * The calls of a client that was written for the older API, whose shape the first table of the contract keeps: exactly
 * its routes, bodies and parameters, and every member of the answers that it reads.
 */
describe.each(PROFILES)('a client of the older API, $name', (profile) => {
  let platform: Platform;
  let api: Client;
  beforeAll(async () => {
    platform = await profile.open({ keys: [{}] });
    api = platform.client({ key: platform.keys[0] });
  }, 120_000);
  afterAll(() => platform.close());

  const get = (path: string): Promise<Json> => api.must(api.get(path));
  const said = ({ status, json }: Answer): unknown => [status, json];

  test('is served with either of the headers in which it sends its key', async () => {
    const key = await api.must(api.post('keys', { name: 'old', scopes: ['read', 'write'] }));
    const open = platform.client();
    const ways: Record<string, string>[] = [{ 'X-API-Key': key.secret }, { Authorization: `Bearer ${key.secret}` }];
    for (const headers of ways) {
      expect((await open.get('models', { headers })).status).toBe(200);
    }
  });

  test('asks for health without a key', async () => {
    const { json, status } = await platform.client().get('health');
    expect(status).toBe(200);
    expect(json).toMatchObject({ status: 'healthy', services: { api: 'healthy' } });
    expect(json.services.influxdb).toBe(profile.name === 'embedded' ? 'not_connected' : 'healthy');
    expect(json.timestamp).toMatch(ISO);
    expect(json.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('registers models, in any order of members, again and again', async () => {
    const done = [201, { status: 'success', message: 'Model registered successfully' }];
    const minimal = { id: 'minimal', name: 'Minimal', model_type: 'llm', version: '1.0', environment: 'dev' };
    const full = {
      thresholds: { latency: 500, error_rate: 0.01, gpu_memory: 0.9, cpu_usage: 0.7, memory_usage: 0.6 },
      environment: 'prod',
      version: '2.0',
      model_type: 'cv',
      name: 'Full',
      id: 'full',
      owner: 'a member that nobody knows',
    };
    const partial = {
      ...minimal,
      id: 'partial',
      model_type: 'tabular',
      environment: 'staging',
      thresholds: { latency: 250 },
    };
    for (const body of [minimal, full, partial]) expect(said(await api.post('models', body))).toEqual(done);
    expect(said(await api.post('models', { ...minimal, name: 'Renamed', thresholds: null }))).toEqual(done);
    const { models } = await get('models');
    expect(models).toMatchObject([
      { id: 'minimal', name: 'Renamed', model_type: 'llm', version: '1.0', environment: 'dev', thresholds: USUAL },
      { id: 'full', name: 'Full', model_type: 'cv', version: '2.0', environment: 'prod', thresholds: full.thresholds },
      { id: 'partial', model_type: 'tabular', environment: 'staging', thresholds: { ...USUAL, latency: 250 } },
    ]);
    expect(models).toHaveLength(3);
    expect(models[1]).not.toHaveProperty('owner');
  });

  test.each<[string, object]>([
    ['an unknown type of model', { model_type: 'audio' }],
    ['an unknown environment', { environment: 'production' }],
    ['no latency', { thresholds: { latency: 0 } }],
    ['a negative latency', { thresholds: { latency: -5 } }],
    ['a share over 1', { thresholds: { error_rate: 1.5 } }],
    ['a negative share', { thresholds: { gpu_memory: -0.1 } }],
    ['no id', { id: undefined }],
    ['no name', { name: undefined }],
    ['no version', { version: undefined }],
  ])('is refused a model with %s', async (_, change) => {
    const body = { id: 'bad', name: 'Bad', model_type: 'llm', version: '1', environment: 'dev', ...change };
    const answer = await api.post('models', body);
    expect([answer.status, answer.json.code]).toEqual([422, 'validation_failed']);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect((await api.get('models/bad')).status).toBe(404);
  });

  test('sends inferences with few members, all members, nulls and numbers as text', async () => {
    const done = [201, { status: 'success', message: 'Metric collected successfully' }];
    const base = { model_id: 'reader', model_type: 'llm', latency: 12.5 };
    const bodies = [
      { ...base, request_id: 'minimal' },
      {
        ...base,
        request_id: 'full',
        throughput: 40,
        error_rate: 0.02,
        resource_usage: { gpu_memory: 0.5, cpu_usage: 0.25, memory_usage: 1 },
        tags: { region: 'eu', tier: 'gold' },
        timestamp: new Date(Date.now() - 60_000).toISOString(),
      },
      { ...base, request_id: 'nulls', throughput: null, error_rate: null, resource_usage: null },
      { ...base, request_id: 'null shares', resource_usage: { gpu_memory: null, cpu_usage: 0.5, memory_usage: null } },
      {
        ...base,
        request_id: 'texts',
        latency: '99.5',
        throughput: ' 7 ',
        error_rate: '0',
        resource_usage: { cpu_usage: '1e-1' },
      },
      {
        ...base,
        request_id: 'edges',
        error_rate: 1,
        resource_usage: { gpu_memory: 0, cpu_usage: 1, memory_usage: 0 },
        tags: {},
      },
      { ...base, request_id: 'strangers', color: 'red', resource_usage: { disk: 3 } },
    ];
    for (const body of bodies)
      expect([body.request_id, ...(said(await api.post('metrics/inference', body)) as Json[])]).toEqual([
        body.request_id,
        ...done,
      ]);
    await drained(platform, platform.keys[0]);
    const { metrics } = await get('metrics/inference?model_id=reader');
    const byId = new Map<string, Json>(metrics.map((metric: Json) => [metric.request_id, metric]));
    expect(byId.size).toBe(bodies.length);
    const empty = { throughput: null, error_rate: null, resource_usage: NO_USAGE, tags: {} };
    expect(byId.get('minimal')).toMatchObject({ ...base, ...empty });
    expect(byId.get('full')).toMatchObject(bodies[1]);
    expect(byId.get('nulls')).toMatchObject(empty);
    expect(byId.get('null shares').resource_usage).toEqual({ ...NO_USAGE, cpu_usage: 0.5 });
    expect(byId.get('texts')).toMatchObject({
      latency: 99.5,
      throughput: 7,
      error_rate: 0,
      resource_usage: { cpu_usage: 0.1 },
    });
    expect(byId.get('edges')).toMatchObject({
      error_rate: 1,
      resource_usage: { gpu_memory: 0, cpu_usage: 1, memory_usage: 0 },
    });
    expect(byId.get('strangers')).toMatchObject(empty);
    for (const { timestamp } of metrics) expect(timestamp).toMatch(ISO);
    const times = metrics.map(({ timestamp }: Json) => timestamp);
    expect(times).toEqual(times.toSorted().reverse());
    expect(metrics.at(-1).request_id).toBe('full');
    // Nobody registered the model: nothing is judged.
    expect(await get('alerts?model_id=reader')).toEqual([]);
  });

  test.each<[string, object]>([
    ['no latency', { latency: undefined }],
    ['a null latency', { latency: null }],
    ['a latency of 0', { latency: 0 }],
    ['a negative latency', { latency: '-1' }],
    ['a latency in words', { latency: 'fast' }],
    ['no request_id', { request_id: undefined }],
    ['no model_id', { model_id: undefined }],
    ['an unknown model_type', { model_type: 'audio' }],
    ['a throughput of 0', { throughput: 0 }],
    ['an error rate over 1', { error_rate: 1.01 }],
    ['a negative share', { resource_usage: { cpu_usage: -0.01 } }],
    ['null tags', { tags: null }],
    ['tags that are numbers', { tags: { a: 1 } }],
    ['a timestamp in words', { timestamp: 'yesterday' }],
    ['a timestamp an hour ahead', { timestamp: new Date(Date.now() + 3_600_000).toISOString() }],
  ])('is refused an inference with %s', async (_, change) => {
    const body = { model_id: 'refused', model_type: 'llm', request_id: 'r', latency: 1, ...change };
    const answer = await api.post('metrics/inference', body);
    expect([answer.status, answer.json.code, answer.json.status]).toEqual([422, 'validation_failed', 422]);
    expect(answer.json.errors[0].pointer).toMatch(/^\//);
    expect((await get('metrics/inference?model_id=refused')).metrics).toEqual([]);
  });

  test('reads the alerts of one metric in their order and with their texts', async () => {
    await api.must(
      api.post('models', { id: 'loud', name: 'Loud', model_type: 'llm', version: '1', environment: 'prod' }),
    );
    const metric = { model_id: 'loud', model_type: 'llm', latency: 1000, error_rate: 0.05 };
    const edge = {
      ...metric,
      request_id: 'edge',
      resource_usage: { gpu_memory: 0.8, cpu_usage: 0.8, memory_usage: 0.8 },
    };
    await api.must(api.post('metrics/inference', edge));
    expect(await get('alerts?model_id=loud')).toEqual([]); // thresholds are strict
    const over = { ...metric, request_id: 'over', latency: 1500, error_rate: 0.051 };
    const usage = { gpu_memory: 0.95, cpu_usage: 0.99, memory_usage: 0.812 };
    await api.must(api.post('metrics/inference', { ...over, resource_usage: usage }));
    const alerts = await get('alerts?model_id=loud');
    const told = alerts.map(({ alert_type, severity, message }: Json) => [alert_type, severity, message]).reverse();
    expect(told).toEqual([
      ['latency', 'high', 'High latency detected: 1500.0ms (threshold: 1000.0ms)'],
      ['error_rate', 'low', 'High error rate detected: 5.1% (threshold: 5.0%)'],
      ['resource_usage', 'low', 'High GPU memory usage: 95.0% (threshold: 80.0%)'],
      ['resource_usage', 'medium', 'High CPU usage: 99.0% (threshold: 80.0%)'],
      ['resource_usage', 'low', 'High memory usage: 81.2% (threshold: 80.0%)'],
    ]);
    for (const alert of alerts) {
      expect(alert).toMatchObject({ model_id: 'loud', resolved: false, resolved_at: null });
      expect(alert.id).toMatch(/./);
      expect(alert.timestamp).toMatch(ISO);
    }
  });

  test('sends drift, which alone can raise an alert of a model that nobody registered', async () => {
    const drift = { model_id: 'drifter', drift_type: 'data', severity: 'critical', confidence: 1 };
    const others = [
      { ...drift, drift_type: 'concept', severity: 'high', confidence: '0.95', tags: { feature: 'age' } },
      { ...drift, severity: 'medium', confidence: 0.5, timestamp: new Date(Date.now() - 3_600_000).toISOString() },
      { ...drift, severity: 'low', confidence: 0 },
    ];
    for (const body of [drift, ...others]) {
      const done = [201, { status: 'success', message: 'Drift metric collected successfully' }];
      expect(said(await api.post('metrics/drift', body))).toEqual(done);
    }
    const alerts = await get('alerts?model_id=drifter');
    expect(alerts.map(({ alert_type, severity, message }: Json) => [alert_type, severity, message]).reverse()).toEqual([
      ['drift', 'critical', 'Data drift detected with critical severity (confidence: 100.0%)'],
      ['drift', 'high', 'Concept drift detected with high severity (confidence: 95.0%)'],
    ]);
    await drained(platform, platform.keys[0]);
    const { drift_metrics } = await get('metrics/drift?model_id=drifter');
    expect(drift_metrics.map(({ severity }: Json) => severity)).toEqual(['low', 'high', 'critical', 'medium']);
    expect(drift_metrics[1]).toEqual({ ...others[0], confidence: 0.95, timestamp: expect.stringMatching(ISO) });
    expect(drift_metrics[2]).toEqual({ ...drift, tags: {}, timestamp: expect.stringMatching(ISO) });
    for (const bad of [{ drift_type: 'label' }, { severity: 'awful' }, { confidence: 1.1 }, { confidence: null }]) {
      expect((await api.post('metrics/drift', { ...drift, ...bad })).status).toBe(422);
    }
    expect((await get('metrics/drift?model_id=drifter&limit=2')).drift_metrics).toHaveLength(2);
  });

  test('resolves an alert by its id, twice, and finds it among the resolved', async () => {
    const [alert] = await get('alerts?model_id=drifter&resolved=false');
    const done = [200, { status: 'success', message: 'Alert resolved successfully' }];
    for (let time = 0; time < 2; time++)
      expect(said(await api.post('alerts/resolve', { alert_id: alert.id }))).toEqual(done);
    const resolved = await get('alerts?model_id=drifter&resolved=true');
    expect(resolved).toMatchObject([{ id: alert.id, resolved: true, resolved_at: expect.stringMatching(ISO) }]);
    expect((await get('alerts?model_id=drifter&resolved=false')).map(({ id }: Json) => id)).not.toContain(alert.id);
    expect((await api.post('alerts/resolve', { alert_id: 'nobody' })).status).toBe(404);
    expect((await api.post('alerts/resolve', {})).status).toBe(422);
    expect(await get('alerts?limit=3')).toHaveLength(3);
  });

  test('reads summaries and windows, with zeros and nulls where there is nothing', async () => {
    for (let i = 1; i <= 100; i++) {
      const body = {
        model_id: 'sums',
        model_type: 'llm',
        request_id: `s${i}`,
        latency: i,
        ...(i % 2 === 0 ? { error_rate: i / 1000 } : {}),
      };
      await api.must(api.post('metrics/inference', body));
    }
    await drained(platform, platform.keys[0]);
    const summary = await get('summary?model_id=sums');
    expect(Object.keys(summary).sort()).toEqual(
      ['total_requests', 'average_latency', 'error_rate', 'p95_latency', 'p99_latency', 'active_alerts'].sort(),
    );
    expect(summary).toMatchObject({ total_requests: 100, average_latency: 50.5, active_alerts: 0 });
    expect(summary.error_rate).toBeCloseTo(0.051, 10); // the mean over those that carry one
    expect(Math.abs(summary.p95_latency - 95)).toBeLessThanOrEqual(2);
    expect(Math.abs(summary.p99_latency - 99)).toBeLessThanOrEqual(2);
    expect(await get('summary?model_id=nobody')).toEqual({
      total_requests: 0,
      average_latency: 0,
      error_rate: 0,
      p95_latency: 0,
      p99_latency: 0,
      active_alerts: 0,
    });
    expect((await get('summary?model_id=loud')).active_alerts).toBe(5);

    const { aggregated_metrics: windows } = await get('metrics/aggregated?model_id=sums&window=1h');
    expect(Object.keys(windows).sort()).toEqual(
      ['latency', 'throughput', 'error_rate', 'gpu_memory', 'cpu_usage', 'memory_usage'].sort(),
    );
    const values = windows.latency.map(({ value }: Json) => value).filter((value: Json) => value !== null);
    expect(values.length).toBeGreaterThan(0);
    expect(windows.latency.length).toBeGreaterThan(values.length); // empty windows are there, as null
    for (const { time } of windows.latency) expect(time).toMatch(ISO);
    for (const { value } of windows.throughput) expect(value).toBeNull();
  });

  test.each([
    ['metrics/inference', 1, 168, 10_000],
    ['metrics/drift', 1, 168, 1000],
    ['alerts', 1, 168, 1000],
    ['metrics/aggregated', 1, 168, null],
    ['summary', 1, 168, null],
  ])('asks %s within its bounds', async (path, least, most, limit) => {
    const windows = path === 'metrics/aggregated' ? '&window=1h' : '';
    for (const hours of [least, most, '24'])
      expect((await api.get(`${path}?since_hours=${hours}${windows}`)).status).toBe(200);
    for (const hours of [least - 1, most + 1, 'many', '-1']) {
      const answer = await api.get(`${path}?since_hours=${hours}`);
      expect([hours, answer.status, answer.json.code]).toEqual([hours, 422, 'invalid_query']);
    }
    if (limit === null) return;
    for (const count of [1, limit]) expect((await api.get(`${path}?limit=${count}`)).status).toBe(200);
    for (const count of [0, limit + 1, -1, 'all', '1.5'])
      expect((await api.get(`${path}?limit=${count}`)).status).toBe(422);
  });

  test.each([
    ['5m', 200],
    ['60s', 200],
    ['2h', 200],
    ['1d', 200],
    ['0m', 422],
    ['5', 422],
    ['m', 422],
    ['5w', 422],
    ['-5m', 422],
    ['5m;drop', 422],
    ['1.5h', 422],
  ])('asks for windows of %s and gets %i', async (window, status) => {
    expect((await api.get(`metrics/aggregated?model_id=sums&window=${encodeURIComponent(window)}`)).status).toBe(
      status,
    );
  });

  test('is told by its status what it did wrong', async () => {
    expect((await api.get('nowhere')).status).toBe(404);
    expect((await api.delete('metrics/inference')).status).toBe(405);
    expect((await api.post('models', '{"id":', {})).status).toBe(400);
    expect(
      (await api.post('models', 'id=1', { headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status,
    ).toBe(415);
    expect((await api.get('alerts?resolved=maybe')).status).toBe(422);
    expect((await platform.client().get('models')).status).toBe(401);
    const limited = await api.get('models');
    expect(Number(limited.headers['x-ratelimit-limit'])).toBeGreaterThan(0);
    expect(Number(limited.headers['x-ratelimit-remaining'])).toBeGreaterThan(0);
    expect(limited.headers['x-ratelimit-reset']).toMatch(/^\d+$/);
  });
});
