import 'reflect-metadata';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { ERROR_CODES } from '@tidemark/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OwnServer } from '../rig/own-server.js';

const PAGE = 'https://dash.example';
let server: OwnServer;
beforeAll(async () => (server = await OwnServer.start({ TIDEMARK_ALLOWED_ORIGINS: PAGE })));
afterAll(() => server.stop());

const ask = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
  const answer = await server.ask(method, path, body, headers);
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? null : JSON.parse(text) };
};

/** Sends a request under a Host that fetch would not let through. */
function askAs(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${server.url}/api/v1/models`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('the edge', () => {
  it('answers what there is not with a problem', async () => {
    const answer = await ask('GET', '/api/v1/nothing?x=1');
    expect(answer).toMatchObject({
      status: 404,
      body: { code: 'not_found', detail: 'there is no GET /api/v1/nothing' },
    });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it.each([
    ['PATCH', '/api/v1/models/m', ['DELETE', 'GET', 'HEAD', 'PUT']],
    ['DELETE', '/api/v1/metrics/inference', ['GET', 'HEAD', 'POST']],
    ['POST', '/livez', ['GET', 'HEAD']],
  ])('answers %s %s with the methods that the path takes', async (method, path, wanted) => {
    const answer = await ask(method, path);
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(wanted);
  });

  it.each([
    '%',
    '/api/v1/models/%ff',
    '/%00',
    `/api/v1/models/${'x'.repeat(5000)}`,
    '/api/v1/../../etc/passwd',
    '/docs/..%2f..%2fpackage.json',
  ])('answers the path %s with a problem of the client', async (path) => {
    const answer = await ask('GET', path.startsWith('/') ? path : `/${path}`);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(Object.keys(ERROR_CODES)).toContain(answer.body.code);
  });

  it('keeps a request id of the client that is fit for a log, and makes one otherwise', async () => {
    expect((await ask('GET', '/livez', undefined, { 'x-request-id': 'abc-1' })).headers.get('x-request-id')).toBe(
      'abc-1',
    );
    for (const odd of ['a b', 'x'.repeat(65), 'a"b']) {
      const given = (await ask('GET', '/livez', undefined, { 'x-request-id': odd })).headers.get('x-request-id');
      expect(given).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('finds a model whatever its id holds', async () => {
    for (const id of ['a/b', 'ü?&#', '100%', 'x'.repeat(256), '模'.repeat(256)]) {
      const model = { id, name: 'n', model_type: 'llm', version: '1', environment: 'dev' };
      expect((await ask('POST', '/api/v1/models', model)).status).toBe(201);
      expect(await ask('GET', `/api/v1/models/${encodeURIComponent(id)}`)).toMatchObject({ status: 200, body: { id } });
      expect((await ask('DELETE', `/api/v1/models/${encodeURIComponent(id)}`)).status).toBe(204);
    }
  });

  it.each([
    ['evil.example', 403],
    ['localhost', 200],
    ['127.0.0.1.nip.io', 403],
  ])('answers the host %s with %d', async (host, status) => {
    expect(await askAs(host)).toBe(status);
  });

  it('tells a proxy that it needs a key, but answers it what is public', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.5' };
    const refused = await ask('GET', '/api/v1/models', undefined, forwarded);
    expect(refused).toMatchObject({ status: 403, body: { code: 'proxied' } });
    expect(refused.body.detail).toContain('x-forwarded-for');
    expect((await ask('GET', '/livez', undefined, forwarded)).status).toBe(200);
  });

  it('lets the pages of allowed origins call, and no others', async () => {
    const allowed = await ask('GET', '/api/v1/models', undefined, { origin: PAGE });
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(PAGE);
    const preflight = await ask('OPTIONS', '/api/v1/models', undefined, {
      origin: PAGE,
      'access-control-request-method': 'POST',
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key');
    for (const origin of ['https://evil.example', 'null']) {
      const refused = await ask('GET', '/api/v1/models', undefined, { origin });
      expect(refused).toMatchObject({ status: 403, body: { code: 'bad_host' } });
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
      expect(
        (await ask('OPTIONS', '/api/v1/models', undefined, { origin })).headers.get('access-control-allow-origin'),
      ).toBeNull();
    }
  });

  it('sheds compressed bodies that together grow past the room for bodies, and has all of it again afterwards', async () => {
    const large = gzipSync(`{"metrics":[${'{},'.repeat(1000)}"${'x'.repeat(15 * 1024 * 1024)}"]}`);
    const headers = { 'content-encoding': 'gzip' };
    const send = () => ask('POST', '/api/v1/metrics/inference/batch', large, headers);
    const answers = await Promise.all(Array.from({ length: 12 }, send));
    expect(new Set(answers.map(({ status }) => status))).toEqual(
      new Set(answers.some(({ status }) => status === 503) ? [422, 503] : [422]),
    );
    for (const { status, headers: given } of answers) if (status === 503) expect(given.get('retry-after')).toBe('1');
    for (let i = 0; i < 8; i++) expect((await send()).status).toBe(422);
  });

  it.each([
    [
      '/api/v1/models',
      undefined,
      /without a content-type; the route takes application\/json: .*-H 'content-type: application\/json'/,
    ],
    [
      '/api/v1/models',
      'application/x-www-form-urlencoded',
      /as "application\/x-www-form-urlencoded"; the route takes application\/json:/,
    ],
    [
      '/api/v1/metrics/drift/batch',
      'text/plain',
      /as "text\/plain"; the route takes application\/json or application\/x-ndjson:/,
    ],
  ])('says to %s what came as %s, and what to send', async (path, type, detail) => {
    const body = new TextEncoder().encode('{}');
    const answer = await fetch(`${server.url}${path}`, {
      ...{ method: 'POST', body },
      headers: type === undefined ? {} : { 'content-type': type },
    });
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({
      code: 'unsupported_media_type',
      detail: expect.stringMatching(detail),
    });
  });

  it('asks who reads the live feed without a WebSocket for one', async () => {
    const answer = await ask('GET', '/api/v1/live');
    expect(answer).toMatchObject({ status: 426, body: { code: 'upgrade_required' } });
    expect(answer.headers.get('upgrade')).toBe('websocket');
    expect(answer.headers.get('connection')).toMatch(/upgrade/i);
    expect((await ask('GET', '/livez')).status).toBe(200);
  });

  it('leads a browser to the page, and tells a program where things are', async () => {
    const html = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };
    for (const [path, headers] of [
      ['/', html],
      ['/docs/', {}],
    ] as const) {
      const answer = await fetch(`${server.url}${path}`, { headers, redirect: 'manual' });
      expect([answer.status, answer.headers.get('location')]).toEqual([302, '/docs']);
    }
    const { status, body, headers } = await ask('GET', '/');
    expect([status, headers.get('vary')]).toEqual([200, 'Accept']);
    expect(body.service).toBe('tidemark');
    for (const path of [body.docs, body.openapi, body.health]) expect((await server.ask('GET', path)).status).toBe(200);
  });

  it('serves the reference page with nothing from another host', async () => {
    const page = await server.ask('GET', '/docs');
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
    for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g))
      expect((await server.ask('GET', path ?? '')).status).toBe(200);
  });
});
