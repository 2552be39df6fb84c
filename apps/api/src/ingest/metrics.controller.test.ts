import 'reflect-metadata';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOON } from '../rig/manual-clock.js';
import { OwnServer } from '../rig/own-server.js';

const ROUTE = '/api/v1/metrics/inference';
const metric = (model: string, given: object = {}) => ({
  model_id: model,
  model_type: 'llm',
  request_id: 'r',
  latency: 1,
  ...given,
});

let server: OwnServer;
beforeAll(async () => (server = await OwnServer.start({ TIDEMARK_MAX_SERIES: '100' })));
afterAll(() => server.stop());

const post = async (path: string, body?: unknown, headers?: Record<string, string>) => {
  const answer = await server.ask('POST', path, body, headers);
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
};
const stored = async (model: string) => (await (await server.ask('GET', `${ROUTE}?model_id=${model}`)).json()).metrics;

describe('POST of one metric', () => {
  it('stores it and answers as the contract says', async () => {
    expect(await post(ROUTE, metric('one', { latency: '12.5', tags: { region: 'eu' } }))).toMatchObject({
      status: 201,
      body: { status: 'success', message: 'Metric collected successfully' },
    });
    expect(await stored('one')).toEqual([
      {
        ...{ model_id: 'one', model_type: 'llm', request_id: 'r', latency: 12.5, throughput: null, error_rate: null },
        resource_usage: { gpu_memory: null, cpu_usage: null, memory_usage: null },
        ...{ tags: { region: 'eu' }, values: {}, timestamp: new Date(NOON).toISOString() },
      },
    ]);
    const drift = { model_id: 'one', drift_type: 'data', severity: 'low', confidence: 1 };
    expect(await post('/api/v1/metrics/drift', drift)).toMatchObject({
      status: 201,
      body: { message: 'Drift metric collected successfully' },
    });
  });

  it('answers a fault with a problem that points at it', async () => {
    const answer = await post(ROUTE, metric('one', { latency: -1, request_id: undefined }));
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed', status: 422 } });
    expect(answer.body.errors.map(({ pointer, code }: Record<string, string>) => `${pointer} ${code}`).sort()).toEqual([
      '/latency range',
      '/request_id required',
    ]);
    expect(answer.body.errors[0]).not.toHaveProperty('index');
  });

  it.each([
    ['no body', undefined, {}, 422, 'validation_failed'],
    ['a body of no bytes', '', { 'content-type': 'application/json' }, 422, 'validation_failed'],
    ['gzip of no bytes', gzipSync(''), { 'content-encoding': 'gzip' }, 422, 'validation_failed'],
    ['null', 'null', {}, 422, 'validation_failed'],
    ['a list', '[]', {}, 422, 'validation_failed'],
    ['half a JSON', '{"model_id":', {}, 400, 'malformed_body'],
    ['a hidden __proto__', '{"\\u005f_proto__":{}}', {}, 400, 'malformed_body'],
    ['a deep text', '['.repeat(500_000), {}, 400, 'too_deep'],
    ['plain text', 'hello', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['lines', '{}', { 'content-type': 'application/x-ndjson' }, 415, 'unsupported_media_type'],
    ['brotli', '{}', { 'content-encoding': 'br' }, 415, 'unsupported_media_type'],
    ['no gzip', '{}', { 'content-encoding': 'gzip' }, 400, 'malformed_body'],
    ['two megabytes', JSON.stringify('x'.repeat(2 ** 21)), {}, 413, 'body_too_large'],
    [
      'gzip of two megabytes',
      gzipSync(JSON.stringify('x'.repeat(2 ** 21))),
      { 'content-encoding': 'gzip' },
      413,
      'body_too_large',
    ],
  ])('answers %s with a problem of the client', async (_what, body, headers, status, code) => {
    expect(await post(ROUTE, body, headers)).toMatchObject({
      status,
      body: { code, instance: expect.stringMatching(/^urn:request:/) },
    });
  });
});

describe('POST of a batch', () => {
  it.each(['', '\n', '\r\n\n'])('says of lines that hold nothing (%j) what it says of an empty list', async (lines) => {
    const { body: wanted } = await post(`${ROUTE}/batch`, '{"metrics":[]}');
    const { status, body } = await post(`${ROUTE}/batch`, lines, { 'content-type': 'application/x-ndjson' });
    expect([status, body.code, body.detail]).toEqual([422, 'validation_failed', wanted.detail]);
    expect(body.errors).toMatchObject([{ pointer: '/metrics', message: wanted.errors[0].message }]);
  });

  it('stores the valid items of JSON and of lines, plain and compressed', async () => {
    const items = [
      metric('batch'),
      { model_id: 'batch' },
      metric('batch', { values: { 'a/b': 1e300 } }),
      metric('batch', { latency: '9007199254740993' }),
    ];
    const json = JSON.stringify({ metrics: items });
    const lines = items.map((item) => JSON.stringify(item)).join('\n');
    const bodies: [string | Uint8Array, Record<string, string>][] = [
      [json, {}],
      [gzipSync(json), { 'content-encoding': 'gzip' }],
      [lines, { 'content-type': 'application/x-ndjson' }],
      [gzipSync(lines), { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' }],
    ];
    for (const [body, headers] of bodies) {
      const answer = await post(`${ROUTE}/batch`, body, headers);
      expect(answer).toMatchObject({ status: 207, body: { accepted: 2 } });
      expect(new Set(answer.body.rejected.map(({ index }: { index: number }) => index))).toEqual(new Set([1, 3]));
      expect(answer.body.rejected).toContainEqual(
        expect.objectContaining({ index: 3, pointer: '/latency', code: 'not_exact' }),
      );
    }
    expect(await stored('batch')).toHaveLength(8);
  });

  it('answers 201 when all were stored and 422 when none was', async () => {
    expect(await post(`${ROUTE}/batch`, { metrics: [metric('all')] })).toMatchObject({
      status: 201,
      body: { accepted: 1, rejected: [] },
    });
    expect(await post(`${ROUTE}/batch`, { metrics: [{}] })).toMatchObject({ status: 422, body: { accepted: 0 } });
    for (const body of [{}, [], { metrics: {} }, { metrics: [] }]) {
      expect(await post(`${ROUTE}/batch`, body)).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
    }
  });

  it('refuses 10,001 items', async () => {
    const one = JSON.stringify(metric('many'));
    const answer = await post(`${ROUTE}/batch`, `{"metrics":[${Array(10_001).fill(one).join(',')}]}`);
    expect(answer).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });
});

describe('an Idempotency-Key', () => {
  it('lets a hundred requests at once store once, with one answer', async () => {
    const headers = { 'idempotency-key': 'a hundred' };
    const answers = await Promise.all(Array.from({ length: 100 }, () => post(ROUTE, metric('once'), headers)));
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    expect(answers.filter((answer) => answer.headers.get('idempotency-replayed') === null)).toHaveLength(1);
    expect(await stored('once')).toHaveLength(1);
  });

  it('gives a batch its answer again, faults and all, until a day has gone by', async () => {
    const headers = { 'idempotency-key': 'again' };
    const send = () => post(`${ROUTE}/batch`, { metrics: [metric('again'), {}] }, headers);
    const first = await send();
    const second = await send();
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    expect(await stored('again')).toHaveLength(1);
    server.clock.pass(86_400_000);
    await send();
    expect(await stored('again')).toHaveLength(2);
  });

  it('belongs to one body and one route', async () => {
    const headers = { 'idempotency-key': 'mine' };
    await post(ROUTE, metric('mine'), headers);
    for (const [path, body] of [
      [ROUTE, metric('mine', { latency: 2 })],
      [`${ROUTE}/batch`, metric('mine')],
    ] as const) {
      const answer = await post(path, path === ROUTE ? body : { metrics: [body] }, headers);
      expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } });
    }
  });

  it('may be used again after a request that was not valid', async () => {
    const headers = { 'idempotency-key': 'retry' };
    expect((await post(ROUTE, metric('retry', { latency: 0 }), headers)).status).toBe(422);
    expect((await post(ROUTE, metric('retry'), headers)).status).toBe(201);
  });

  it('has 1 to 256 characters', async () => {
    expect(await post(ROUTE, metric('key'), { 'idempotency-key': 'x'.repeat(257) })).toMatchObject({
      status: 422,
      body: { code: 'validation_failed' },
    });
  });
});

describe('too many series', () => {
  it('are answered 429 with the reason, and those that exist go on', async () => {
    const tagged = (i: number) => metric('series', { tags: { id: `${i}` } });
    const answer = await post(`${ROUTE}/batch`, { metrics: Array.from({ length: 200 }, (_, i) => tagged(i)) });
    expect(answer.status).toBe(207);
    expect(answer.body.rejected.every(({ code }: { code: string }) => code === 'series_limit')).toBe(true);
    const refused = await post(ROUTE, tagged(199));
    expect(refused).toMatchObject({ status: 429, body: { code: 'series_limit' } });
    expect(refused.headers.get('retry-after')).toBe('60');
    expect((await post(`${ROUTE}/batch`, { metrics: [tagged(199)] })).status).toBe(429);
    expect((await post(ROUTE, tagged(0))).status).toBe(201);
  });
});
