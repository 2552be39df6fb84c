import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ERROR_CODES, type ProblemCode } from '@tidemark/types';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Answer, Client } from './rig/client.js';
import { CutLine } from './rig/cut-line.js';
import { Dribbler, UNFINISHED_BODY, UNFINISHED_HEADERS } from './rig/dribbler.js';
import { EMBEDDED } from './rig/embedded-platform.js';
import { inference, model } from './rig/fixtures.js';
import { freePort } from '@tidemark/servers';
import { LiveListener } from './rig/live-listener.js';
import { Nginx } from './rig/nginx.js';
import { openPlatform, type Platform } from './rig/platform.js';
import { rawAnswer } from './rig/raw-answer.js';
import { skipUnless } from './rig/skip.js';
import { waitFor } from './rig/wait-for.js';

const NOWHERE = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;

/** An answer of nginx itself is a problem as the API would write it. */
function expectProblem(answer: Answer, code: ProblemCode): void {
  expect([answer.status, answer.headers['content-type']]).toEqual([
    ERROR_CODES[code].status,
    'application/problem+json',
  ]);
  expect(answer.json).toEqual({
    type: `/docs/errors#${code}`,
    title: ERROR_CODES[code].title,
    status: ERROR_CODES[code].status,
    detail: expect.stringMatching(/\w/),
    instance: `urn:request:${String(answer.headers['x-request-id'])}`,
    code,
  });
  if (answer.status === 429 || answer.status === 503) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
}

/** nginx writes its line when the answer is already out. */
function logged(nginx: Nginx, text: string): Promise<boolean> {
  const hasText = async (): Promise<boolean> =>
    (await readFile(join(nginx.folder, 'access.log'), 'utf8')).includes(text);
  return waitFor(`${text} in the log`, hasText);
}

async function storedIn(platform: Platform): Promise<number> {
  return (await platform.client().get('summary')).json.total_requests;
}

/** Sends single metrics one after the other, each over a connection of its own choice, and answers the statuses. */
async function sendSingly(api: Client, count: number, headers = {}): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < count; i++) {
    answers.push(await api.post('metrics/inference', inference('a', `r${i}`), { headers }));
  }
  return answers;
}

describe('nginx in front of instances', () => {
  beforeEach(async (context) => skipUnless(context, await Nginx.fault()));

  test('passes requests, their id and the live feed', async () => {
    const platform = await openPlatform(EMBEDDED);
    const nginx = await Nginx.open({ instances: [platform.url] });
    const api = nginx.client();
    await api.must(api.post('models', model('m', { thresholds: { latency: 50 } })));
    const live = await LiveListener.open(nginx.url);
    await live.follow();
    const sent = await api.post('metrics/inference', inference('m', 'r1'), { headers: { 'x-request-id': 'mine-1' } });
    expect([sent.status, sent.headers['x-request-id']]).toEqual([201, 'mine-1']);
    await waitFor('the metric and its alert', () => live.items('inference').length + live.items('alert').length >= 2);
    expect(live.items('inference').map(({ request_id }) => request_id)).toEqual(['r1']);
    const other = await api.get('models', { headers: { 'x-request-id': 'with spaces' } });
    expect(other.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    await logged(nginx, '"requestId":"mine-1"');
  });

  test('opens the live feed with a ticket, by whichever instance, and keeps it out of the log', async () => {
    const instances = [await openPlatform(EMBEDDED), await openPlatform(EMBEDDED)].map(({ url }) => url);
    const nginx = await Nginx.open({ instances });
    for (let i = 0; i < 4; i++) {
      const { ticket } = (await nginx.client().post('live/ticket')).json;
      expect(await LiveListener.refusal(nginx.url, { query: `?ticket=${ticket}` })).toBe(101);
      await waitFor('the line of the log', async () => {
        const log = await readFile(join(nginx.folder, 'access.log'), 'utf8');
        expect(log).not.toContain(ticket);
        return log.split('"path":"/api/v1/live",').length > i + 1;
      });
    }
  });

  test('adds what protects a browser, and hides its own version', async () => {
    const platform = await openPlatform(EMBEDDED);
    const nginx = await Nginx.open({ instances: [platform.url], pages: { 'index.html': 'board', 'assets/a.js': 'x' } });
    const api = nginx.client();
    for (const path of ['/', '/models/some', '/assets/a.js', '/docs', '/api/v1/models', '/api/v1/none', '/metrics']) {
      const { headers } = await api.get(path);
      expect(headers).toMatchObject({
        server: 'nginx',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
      });
    }
    expect((await api.get('/docs')).headers['content-security-policy']).toContain("default-src 'none'"); // its own
    expect((await api.get('/models/some')).text).toBe('board');
    expect((await api.get('/')).headers['cache-control']).toBe('no-cache');
    expect((await api.get('/assets/a.js')).headers['cache-control']).toBe('max-age=31536000');
    expectProblem(await api.get('/assets/none.js'), 'not_found');
  });

  test('says where the documents are as long as there is no dashboard', async () => {
    const platform = await openPlatform(EMBEDDED);
    const api = (await Nginx.open({ instances: [platform.url] })).client();
    expect((await api.get('/')).json).toMatchObject({ service: 'tidemark', docs: '/docs' });
    expect((await api.get('/docs')).status).toBe(200);
    expectProblem(await api.get('/elsewhere'), 'not_found');
    expectProblem(await api.post('/', {}), 'not_found');
  });

  test('shows what is counted only to those who are listed', async () => {
    const platform = await openPlatform(EMBEDDED);
    const closed = await Nginx.open({ instances: [platform.url] });
    expectProblem(await closed.client().get('/metrics'), 'not_found');
    const open = await Nginx.open({
      instances: [platform.url],
      values: { NGINX_METRICS_ALLOW: 'allow 127.0.0.1;' },
    });
    expect((await open.client().get('/metrics')).text).toContain('tidemark_points_stored_total');
  });

  test('compresses answers, and takes compressed requests as they are', async () => {
    const platform = await openPlatform(EMBEDDED);
    const api = (await Nginx.open({ instances: [platform.url] })).client();
    const document = await api.get('/openapi.json', { headers: { 'accept-encoding': 'gzip' } });
    expect(document.headers).toMatchObject({ 'content-encoding': 'gzip', vary: expect.stringContaining('Encoding') });
    expect((await api.get('/openapi.json')).json.openapi).toMatch(/^3\./);
    const body = gzipSync(JSON.stringify({ metrics: [inference('a', 'r1')] }));
    const headers = { 'content-encoding': 'gzip' };
    expect((await api.post('metrics/inference/batch', body, { headers })).json.accepted).toBe(1);
  });
});

describe('bodies and clients at the door of nginx', () => {
  beforeEach(async (context) => skipUnless(context, await Nginx.fault()));

  test('refuses bodies just where the API does', async () => {
    const platform = await openPlatform(EMBEDDED);
    const nginx = await Nginx.open({ instances: [platform.url] });
    const mebibyte = 1024 * 1024;
    for (const [path, limit] of [
      ['metrics/inference', mebibyte],
      ['metrics/inference/batch', 16 * mebibyte],
    ] as const) {
      const keyed: Record<string, string> = { 'idempotency-key': `k-${path}` };
      for (const headers of [{}, keyed]) {
        const api = nginx.client();
        const full = await api.post(path, ' '.repeat(limit), { headers });
        expect([full.status, full.json.code]).not.toEqual([413, 'body_too_large']);
        expectProblem(await api.post(path, ' '.repeat(limit + 1), { headers }), 'body_too_large');
        const chunked = { ...headers, 'transfer-encoding': 'chunked' };
        expectProblem(await api.post(path, ' '.repeat(limit + 1), { headers: chunked }), 'body_too_large');
      }
    }
  });

  test('cuts clients that dribble, and no instance hears of them', async () => {
    const platform = await openPlatform(EMBEDDED);
    const nginx = await Nginx.open({ instances: [platform.url], values: { NGINX_CLIENT_TIMEOUT: '1s' } });
    const { port } = nginx;
    const dribblers = [
      new Dribbler({ port, opening: UNFINISHED_HEADERS, everyMs: 100 }), // headers have their time in all
      new Dribbler({ port, opening: UNFINISHED_BODY, everyMs: 1_000_000 }), // a body between two reads
    ];
    onTestFinished(() => {
      for (const dribbler of dribblers) dribbler.close();
    });
    await waitFor('both to be cut', () => dribblers.every(({ closedAfterMs }) => closedAfterMs !== null));
    expect((await nginx.client().post('metrics/inference', inference('a', 'r1'))).status).toBe(201);
    await logged(nginx, '"status":408,"bytes":0');
  });

  const HOST = 'Host: 127.0.0.1\r\n';
  test.each<[string, string, ProblemCode]>([
    ['without a method', 'hello\r\n\r\n', 'malformed_request'],
    ['of another version', `GET /livez HTTP/3.9\r\n${HOST}\r\n`, 'malformed_request'],
    ['without a Host', 'GET /livez HTTP/1.1\r\n\r\n', 'malformed_request'],
    ['with a path that leads out', `GET /api/../../etc HTTP/1.1\r\n${HOST}\r\n`, 'malformed_request'],
    ['with a NUL in its path', `GET /api/%00 HTTP/1.1\r\n${HOST}\r\n`, 'malformed_request'],
    [
      'of two lengths',
      `POST /api/v1/models HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'malformed_request',
    ],
    [
      'in a coding that nobody knows',
      `POST /api/v1/models HTTP/1.1\r\n${HOST}Transfer-Encoding: rot13\r\n\r\n`,
      'malformed_request',
    ],
    [
      'with a chunk that is none',
      `POST /api/v1/models HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      'malformed_request',
    ],
    ['with a long path', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, 'headers_too_large'],
    ['with a long header', `GET /livez HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20_000)}\r\n\r\n`, 'headers_too_large'],
    [
      'with many headers',
      `GET /livez HTTP/1.1\r\n${HOST}${`X: ${'x'.repeat(9000)}\r\n`.repeat(9)}\r\n`,
      'headers_too_large',
    ],
  ])('answers a request %s with a problem, and no instance hears of it', async (_what, text, code) => {
    const nginx = await Nginx.open({ instances: [await NOWHERE()] });
    expectProblem(await rawAnswer(nginx.port, text), code);
  });

  test('answers 429 to an address that asks too much, and lets it in again', async () => {
    const platform = await openPlatform(EMBEDDED);
    const nginx = await Nginx.open({
      instances: [platform.url],
      values: { NGINX_RATE: '10r/s', NGINX_BURST: '5' },
    });
    const api = nginx.client();
    const answers = await Promise.all(Array.from({ length: 40 }, () => api.get('models')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) expectProblem(answer, 'rate_limited');
    await waitFor('to be let in again', async () => (await api.get('models')).status === 200);
  });

  test('replaces what a client claims of its address, but for proxies that are named', async () => {
    const platform = await openPlatform(EMBEDDED);
    const nginx = await Nginx.open({
      instances: [platform.url],
      values: { NGINX_REAL_IP: 'set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;' },
    });
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    await nginx.client().get('models', { headers });
    await logged(nginx, '"client":"203.0.113.9"');
    const plain = await Nginx.open({ instances: [platform.url] });
    await plain.client().get('models', { headers });
    await logged(plain, '"path":"/api/v1/models"');
    expect(await readFile(join(plain.folder, 'access.log'), 'utf8')).not.toContain('203.0.113.9');
  });
});

describe('several instances behind nginx', () => {
  beforeEach(async (context) => skipUnless(context, await Nginx.fault()));

  test('share the work, and go on when one of them is gone', async () => {
    const [first, second] = [await openPlatform(EMBEDDED), await openPlatform(EMBEDDED)];
    const nginx = await Nginx.open({ instances: [first.url, second.url] });
    const api = nginx.client();
    expect((await sendSingly(api, 20)).map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect([await storedIn(first), await storedIn(second)]).toEqual([10, 10]);
    await first.kill();
    expect((await sendSingly(api, 20)).map(({ status }) => status)).toEqual(Array(20).fill(201));
    expect(await storedIn(second)).toBe(30);
    await first.start();
    await waitFor('the first to be asked again', async () => {
      await sendSingly(api, 2);
      return (await storedIn(first)) > 10;
    });
  });

  test('that cannot be reached are said to be so, with nothing done', async () => {
    const nginx = await Nginx.open({ instances: [await NOWHERE(), await NOWHERE()] });
    const api = nginx.client();
    for (const headers of [{}, { 'idempotency-key': 'k1' }]) {
      for (const answer of await sendSingly(api, 3, headers)) expectProblem(answer, 'unavailable');
    }
    expectProblem(await api.get('models'), 'unavailable');
    expect((await api.get('/nginx/livez')).status).toBe(200);
  });

  test('never get the same POST twice when one dies before it answers', async () => {
    const [first, second] = [await openPlatform(EMBEDDED), await openPlatform(EMBEDDED)];
    const line = await CutLine.open(first.url);
    const nginx = await Nginx.open({ instances: [line.url, second.url] });
    const api = nginx.client();
    const answers = await sendSingly(api, 1);
    for (const answer of answers) expectProblem(answer, 'unanswered');
    expect([line.cuts, await storedIn(first), await storedIn(second)]).toEqual([1, 1, 0]);
    // A batch that only cost a connection was sent to nobody: the next instance takes it.
    line.close();
    expect((await sendSingly(api, 4)).map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect([await storedIn(first), await storedIn(second)]).toEqual([1, 4]);
  });

  test('never get the same POST twice when one hangs', async () => {
    const [first, second] = [await openPlatform(EMBEDDED), await openPlatform(EMBEDDED)];
    const nginx = await Nginx.open({
      instances: [first.url, second.url],
      values: { NGINX_ANSWER_TIMEOUT: '5s' },
    });
    const api = nginx.client();
    first.process.signal('SIGSTOP');
    const answers = [...(await sendSingly(api, 1)), ...(await sendSingly(api, 1))];
    for (const answer of answers.filter(({ status }) => status !== 201)) expectProblem(answer, 'answer_timeout');
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    first.process.signal('SIGCONT');
    // What it was sent it may still do, or drop because nobody waits any more: hence the 504, that says neither.
    expect(await storedIn(first)).toBeLessThanOrEqual(1);
    expect(await storedIn(second)).toBe(1);
  });

  test('get a POST again where an Idempotency-Key lets them know it', async () => {
    const [first, second] = [await openPlatform(EMBEDDED), await openPlatform(EMBEDDED)];
    const line = await CutLine.open(first.url);
    const nginx = await Nginx.open({ instances: [line.url, second.url] });
    const api = nginx.client();
    const headers = { 'idempotency-key': 'once' };
    const single = await api.post('metrics/inference', inference('a', 'r1'), { headers });
    expect([single.status, line.cuts, await storedIn(second)]).toEqual([201, 1, 1]);
    const metrics = { metrics: [inference('a', 'r2')] };
    const batch = await api.post('metrics/inference/batch', metrics, { headers: { 'idempotency-key': 'twice' } });
    expect([batch.status, await storedIn(second)]).toEqual([201, 2]);
    expect((await api.get('models')).status).toBe(200); // and reading is always repeated
  });
});
