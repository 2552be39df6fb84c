import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ApiRoute, apiRoutes } from './rig/api-routes.js';
import type { Answer, Client, Json } from './rig/client.js';
import { inference, model } from './rig/fixtures.js';
import { openPlatform, type Platform, PROFILES } from './rig/platform.js';
import { Process } from '@tidemark/servers';
import { HttpSink } from './rig/receivers/http-sink.js';
import { waitFor } from './rig/wait-for.js';

const SCOPES = ['read', 'write', 'admin'];

/** Words that only the first project's things carry; none may ever be read with the second project's key. */
const OURS = 'ours-and-no-one-elses';

/** What the first project has, by the part of the path that names its kind. */
interface Things {
  readonly models: string;
  readonly alerts: string;
  readonly channels: string;
  readonly deliveries: string;
  readonly keys: string;
}

async function furnish(api: Client, sink: HttpSink): Promise<Things> {
  const channel = { name: OURS, kind: 'webhook', url: `${sink.url}/hook`, secret: `whsec_${'A'.repeat(44)}` };
  const { id: channels } = await api.must(api.post('channels', channel));
  await api.must(api.post('models', model(OURS, { resolve_after: 604800 })));
  await api.must(api.post('metrics/inference', inference(OURS, OURS, { latency: 5000 })));
  await api.must(api.post('metrics/drift', { model_id: OURS, drift_type: 'data', severity: 'low', confidence: 1 }));
  const { id: keys } = await api.must(api.post('keys', { name: OURS, scopes: ['read'] }));
  const [{ id: alerts }] = await api.must(api.get('alerts'));
  const deliveries = await waitFor('the delivery of the alert', async () => {
    const ledger = await api.must(api.get(`alerts/${alerts}/deliveries`));
    return ledger.deliveries.find(({ status }: Json) => status === 'delivered')?.id;
  });
  return { models: OURS, alerts, channels, deliveries, keys };
}

/** The path with the first project's thing in place of `{id}`. */
function named(route: ApiRoute, things: Things): string {
  const kind = /^\/api\/v1\/([a-z]+)\//.exec(route.path)?.[1] ?? '';
  const id = Object.entries(things).find(([name]) => name === kind)?.[1] ?? 'nothing';
  return route.path.replace('{id}', encodeURIComponent(id)).replace('{what}', 'inference');
}

function call(api: Client, route: ApiRoute, path: string): Promise<Answer> {
  return api.ask(route.method, path, { body: route.example });
}

describe.each(PROFILES)('access, $name', (profile) => {
  let platform: Platform;
  let sink: HttpSink;
  let ours: Client;
  let theirs: Client;
  let routes: ApiRoute[];
  let things: Things;
  beforeAll(async () => {
    const keys = [{ project: 'ours' }, { project: 'theirs' }];
    [platform, sink] = await Promise.all([profile.open({ keys }), HttpSink.open()]);
    [ours, theirs] = platform.keys.map((key) => platform.client({ key }));
    routes = await apiRoutes(ours);
    things = await furnish(ours, sink);
  }, 120_000);
  afterAll(() => Promise.all([platform.close(), sink.close()]));

  /** A key of the first project that counts at once, because the platform itself made it. */
  async function anotherKey(scopes: readonly string[]): Promise<string> {
    return (await ours.must(ours.post('keys', { name: scopes.join(), scopes }))).secret;
  }

  test('the document names every kind of route, and few are open to all', () => {
    expect(routes.length).toBeGreaterThan(35);
    expect(
      routes
        .filter(({ scope }) => scope === null)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['/', '/api/v1/health', '/docs', '/docs/errors', '/livez', '/openapi.json', '/readyz'].sort());
  });

  test('no route answers anything but 401 without a key, or with one that is not right', async () => {
    const right = await anotherKey(['admin']);
    const wrong = [
      undefined,
      'tm_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
      `${right.slice(0, -2)}${right.endsWith('AA') ? 'BB' : 'AA'}`,
      right.slice(0, -1),
      'null',
    ];
    for (const route of routes.filter(({ scope }) => scope !== null)) {
      for (const key of wrong) {
        const answer = await call(platform.client({ key }), route, named(route, things));
        const told = `${route.method} ${route.path} with ${key?.slice(0, 20)}`;
        expect([told, answer.status, answer.json?.code]).toEqual([told, 401, 'unauthenticated']);
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      }
    }
  });

  test('routes that are open to all tell nothing of a project', async () => {
    const stranger = platform.client();
    for (const route of routes.filter(({ scope }) => scope === null)) {
      const answer = await call(stranger, route, route.path);
      expect([route.path, answer.status]).toEqual([route.path, 200]);
      expect(answer.text).not.toContain(OURS);
    }
  });

  test('a key without the scope of a route gets 403 there', async () => {
    const keyOf = new Map<string, string>();
    for (const scope of SCOPES) keyOf.set(scope, await anotherKey([scope]));
    for (const route of routes) {
      if (route.scope === null) continue;
      expect(SCOPES).toContain(route.scope);
      for (const scope of SCOPES.filter((one) => one !== route.scope && one !== 'admin')) {
        const answer = await call(platform.client({ key: keyOf.get(scope) }), route, named(route, things));
        const told = `${route.method} ${route.path} with ${scope}`;
        expect([told, answer.status, answer.json?.code]).toEqual([told, 403, 'forbidden']);
      }
      const answer = await call(platform.client({ key: keyOf.get(route.scope) }), route, '/api/v1/nowhere');
      expect(answer.status).toBe(404);
    }
  });

  test('another project reaches nothing by its id, and finds nothing in any list', async () => {
    const before = await everything(ours);
    expect(JSON.stringify(before)).toContain(OURS);
    for (const route of routes.filter(({ scope }) => scope !== null)) {
      const told = `${route.method} ${route.path}`;
      // A model's id is its owner's choice: the same name in another project is another model.
      if (told === 'PUT /api/v1/models/{id}') continue;
      const answer = await call(theirs, route, named(route, things));
      if (route.path.includes('{id}')) expect([told, answer.status]).toEqual([told, 404]);
      else
        expect([told, answer.text.includes(OURS), answer.text.includes(things.alerts)]).toEqual([told, false, false]);
    }
    const ownModel = await theirs.put(`models/${OURS}`, model(OURS, { name: 'the same name elsewhere' }));
    expect(ownModel.status).toBe(200);
    for (const path of ['metrics/inference', 'summary', 'metrics/aggregated']) {
      const answer = await theirs.get(`${path}?model_id=${OURS}`);
      expect(answer.status).toBe(200);
      expect(answer.text).not.toMatch(/5000|"value":\d/);
    }
    const byId = await theirs.post('alerts/resolve', { alert_id: things.alerts });
    expect(byId.status).toBe(404);
    const borrowed = await theirs.post('models', model('borrower', { channels: [things.channels] }));
    expect(borrowed.status).toBe(422);
    expect(await everything(ours)).toEqual(before);
  });

  test('a key counts in either header, and not a moment after it is revoked', async () => {
    const text = await anotherKey(['read']);
    const id = text.split('_')[1];
    const open = platform.client();
    const ways: Record<string, string>[] = [
      { authorization: `Bearer ${text}` },
      { authorization: `bearer ${text}` },
      { 'x-api-key': text },
    ];
    const ask = (headers: Record<string, string>) => open.get('models', { headers });
    for (const headers of ways) expect((await ask(headers)).status).toBe(200);
    expect((await ask({ authorization: `Basic ${Buffer.from(`u:${text}`).toString('base64')}` })).status).toBe(401);
    expect((await open.get(`models?api_key=${text}`)).status).toBe(401);
    expect((await ours.delete(`keys/${id}`)).status).toBe(204);
    for (const headers of ways) expect((await ask(headers)).status).toBe(401);
  });

  test('a key makes others of its own project only, and no list shows a secret', async () => {
    expect((await ours.post('keys', { name: 'k', scopes: ['read'], project: 'theirs' })).status).toBe(403);
    const made = await ours.must(ours.post('keys', { name: 'k', scopes: ['read'] }));
    expect(made).toMatchObject({ project: 'ours', scopes: ['read'] });
    const list = await ours.get('keys');
    expect(list.json.keys.map(({ id }: Json) => id)).toContain(made.id);
    expect(list.text).not.toContain(made.secret.split('_')[2]);
    const limited = await platform.client({ key: made.secret }).post('keys', { name: 'more', scopes: ['admin'] });
    expect(limited.status).toBe(403);
  });
});

/** All that the first project can read of itself, but for what moves. */
async function everything(api: Client): Promise<Json[]> {
  const paths = ['models', 'alerts', 'channels', 'deliveries', 'metrics/inference', 'metrics/drift', 'summary'];
  return Promise.all(paths.map((path) => api.must(api.get(path))));
}

describe.each(PROFILES)('before there is any key, $name', (profile) => {
  test('this machine is served under its own names, and a web page from elsewhere is not', async () => {
    const platform = await openPlatform(profile, { env: { TIDEMARK_ALLOWED_ORIGINS: 'https://board.example.test' } });
    const api = platform.client();
    const { port } = new URL(platform.url);
    const ask = async (headers: Record<string, string>) => (await api.get('models', { headers })).status;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'localhost', '127.0.0.2']) {
      expect([host, await ask({ host })]).toEqual([host, 200]);
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '10.0.0.1',
    ]) {
      expect([host, await ask({ host })]).toEqual([host, 403]);
    }
    for (const origin of ['https://evil.example', 'null', `http://127.0.0.1.evil.example:${port}`, 'http://10.0.0.1']) {
      expect([origin, await ask({ origin })]).toEqual([origin, 403]);
    }
    for (const origin of [`http://localhost:${port}`, 'http://127.0.0.1:3000', 'https://board.example.test']) {
      expect([origin, await ask({ origin })]).toEqual([origin, 200]);
    }
    const written = await api.post('models', model('by-a-page'), { headers: { origin: 'https://evil.example' } });
    expect(written.status).toBe(403);
    // A form of a web page can send text without asking first.
    const form = await api.post('models', JSON.stringify(model('by-a-form')), {
      headers: { 'content-type': 'text/plain' },
    });
    expect(form.status).toBe(415);
    expect((await api.must(api.get('models'))).models).toEqual([]);
    const preflight = await api.ask('OPTIONS', 'models', { headers: { origin: 'https://evil.example' } });
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('the door closes with the first key, made here or on the command line', async () => {
    const platform = await openPlatform(profile);
    const api = platform.client();
    expect((await api.get('models')).status).toBe(200);
    const { secret } = await api.must(api.post('keys', { name: 'first', scopes: ['admin'], project: 'elsewhere' }));
    // At once where it was made, and within seconds at every other instance.
    await waitFor('the door to be closed everywhere', () => everywhere(platform, 401));
    expect((await platform.client({ key: secret }).get('models')).status).toBe(200);

    const other = await openPlatform(profile);
    const open = other.client();
    expect((await open.get('models')).status).toBe(200);
    await other.createKey();
    await waitFor('the door to close', async () => (await open.get('models')).status === 401);
  });
});

test('a public address without a key refuses to start, and says how to make one', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tidemark-public-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const main = fileURLToPath(new URL('../apps/api/dist/main.js', import.meta.url));
  for (const host of ['0.0.0.0', '::']) {
    const env = { API_HOST: host, API_PORT: '0', TIDEMARK_DATA_DIR: dataDir };
    const started = Process.start({ command: process.execPath, args: [main], env });
    expect(await started.exited).toEqual({ code: 1, signal: null });
    expect(started.output).toMatch(/^tidemark: API_HOST: .* no API key yet.*npm run keys -- create/);
    expect(started.output.trim().split('\n')).toHaveLength(1);
  }
});

async function everywhere({ instances }: Platform, status: number): Promise<boolean> {
  const answers = await Promise.all(instances.map((url) => fetch(`${url}/api/v1/models`)));
  return answers.every((answer) => answer.status === status);
}
