import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OwnServer } from '../rig/own-server.js';
import { ROUTE_DOCS } from './openapi/openapi.js';
import { isStrict } from './openapi/route-doc.js';
import type { HttpProblem } from './problem.js';
import { refuseUnknownNames } from './query-names.js';

let server: OwnServer;
beforeAll(async () => (server = await OwnServer.start()));
afterAll(() => server.stop());

const ask = async (method: string, path: string, body?: unknown) => {
  const answer = await server.ask(method, path, body);
  const text = await answer.text();
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    body: text === '' ? null : JSON.parse(text),
  };
};
const strict = ROUTE_DOCS.filter(isStrict).map(({ method, path }) => ({
  method,
  path: path.replace(/:what/, 'alerts'),
}));

describe('names of query parameters', () => {
  it.each(strict)('that $method $path does not have are refused', async ({ method, path }) => {
    const answer = await ask(
      method,
      `${path.replace(/:id/, 'some')}?no_such_name=1`,
      method === 'GET' ? undefined : {},
    );
    expect(answer).toMatchObject({
      status: 422,
      type: expect.stringMatching(/^application\/problem\+json/),
      body: { code: 'invalid_query', errors: [{ pointer: '/no_such_name', code: 'unknown_member' }] },
    });
  });

  it('cover every route of the API but health', () => {
    const lenient = ROUTE_DOCS.filter((route) => !isStrict(route)).map(({ path }) => path);
    expect(lenient.filter((path) => path.startsWith('/api/v1'))).toEqual(['/api/v1/health']);
  });

  it.each(['/api/v1/health', '/livez', '/readyz', '/metrics', '/openapi.json', '/docs'])(
    'are not looked at on %s, which probes ask with anything',
    async (path) => {
      expect((await fetch(`${server.url}${path}?no_such_name=1`)).status).toBe(200);
    },
  );

  it.each([
    ['alerts?foo=1', '"foo" is not a parameter of this route; it takes model_id, since_hours, limit, resolved, '],
    ['metrics/inference?limt=5', '"limt" is not a parameter of this route; did you mean limit?'],
    ['metrics/aggregated?sinceHours=5', '"sinceHours" is not a parameter of this route; did you mean since_hours?'],
    ['models?limit=5', '"limit" is not a parameter of this route; it takes none'],
    ['summary?=5', '"" is not a parameter of this route; it takes model_id, '],
    ['summary?__proto__=5', '"__proto__" is not a parameter of this route; it takes model_id, '],
    ['summary?constructor=5', '"constructor" is not a parameter of this route; it takes model_id, '],
    [`summary?${'x'.repeat(5000)}=1`, `"${'x'.repeat(64)}" is not a parameter`],
  ])('are told of %s, with what was probably meant', async (path, detail) => {
    const { status, body } = await ask('GET', `/api/v1/${path}`);
    expect([status, body.detail]).toEqual([422, expect.stringContaining(detail)]);
  });

  it('are told by a pointer that can be read back', async () => {
    const { body } = await ask('GET', '/api/v1/summary?a%2Fb~c=1&model_id=m');
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/a~1b~0c']);
  });

  it('are told together, and not without end', async () => {
    const names = Array.from({ length: 500 }, (_, i) => `n${i}=1`);
    expect((await ask('GET', `/api/v1/summary?${names.slice(0, 3).join('&')}`)).body.errors).toHaveLength(3);
    expect((await ask('GET', `/api/v1/summary?${names.join('&')}`)).body.errors).toHaveLength(20);
  });

  it('hold for HEAD as for GET', async () => {
    const statusOf = async (query: string) =>
      (await fetch(`${server.url}/api/v1/summary${query}`, { method: 'HEAD' })).status;
    expect([await statusOf('?model_id=m'), await statusOf('?model=m')]).toEqual([200, 422]);
  });

  it.each(ROUTE_DOCS.filter(({ query }) => query))('that $method $path describes pass', ({ method, path, query }) => {
    refuseUnknownNames(method, path, Object.keys(query?.properties ?? {}));
  });

  // The parameters of the older API, as its clients send them.
  it.each([
    ['metrics/inference', 'model_id=m&since_hours=24&limit=1000'],
    ['metrics/drift', 'model_id=m&since_hours=168&limit=100'],
    ['metrics/aggregated', 'model_id=m&since_hours=6&window=5m'],
    ['alerts', 'model_id=m&since_hours=168&resolved=False&limit=100'],
    ['summary', 'model_id=m&since_hours=24'],
  ])('of older clients of %s are taken', async (path, query) => {
    expect((await ask('GET', `/api/v1/${path}?${query}`)).status).toBe(200);
  });

  it('are refused only to whom the route is open', async () => {
    const own = await OwnServer.start();
    try {
      await own.ask('POST', '/api/v1/keys', { name: 'k', scopes: ['read'] });
      expect((await own.ask('GET', '/api/v1/models?foo=1')).status).toBe(401);
    } finally {
      await own.stop();
    }
  });

  it('are a problem of the request', () => {
    const refuse = () => refuseUnknownNames('GET', '/api/v1/models', ['a']);
    expect(refuse).toThrow(expect.objectContaining({ status: 422 } satisfies Partial<HttpProblem>));
  });
});
