import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { apiRoutes } from './rig/api-routes.js';
import type { Answer, Client, Json } from './rig/client.js';
import { inference, model } from './rig/fixtures.js';
import { ALONE, openPlatform, PROFILES } from './rig/platform.js';
import { Process } from '@tidemark/servers';
import { HttpSink, type SinkRequest } from './rig/receivers/http-sink.js';
import { MailSink } from './rig/receivers/mail-sink.js';
import { waitFor } from './rig/wait-for.js';

const LOGIN = { user: 'mailer', password: 'planted/smtp+p@ss wörd' };
const OWN_LOGIN = { user: 'mailer', password: 'planted-wrong-password' };
const SLACK_PATH = 'T0PLANTED/B0PLANTED/plantedSlackPath';
const SIGNING = `whsec_${Buffer.from('planted signing secret, 32 bytes').toString('base64')}`;
const URL_TOKEN = 'planted-url-token';
const HEADER_TOKEN = 'planted-header-token';
const SEALING = 'planted sealing secret of more than 32 characters';
const BAD = 'planted-in-a-bad-request';

const PLANTED = [
  LOGIN.password,
  OWN_LOGIN.password,
  `\0${LOGIN.user}\0${LOGIN.password}`,
  `\0${OWN_LOGIN.user}\0${OWN_LOGIN.password}`,
  SLACK_PATH,
  SIGNING.replace('whsec_', ''),
  'planted signing secret, 32 bytes',
  URL_TOKEN,
  HEADER_TOKEN,
  SEALING,
  BAD,
];

/** Every way in which a secret could be written down. */
function writings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const plain = [secret, encodeURIComponent(secret), encodeURI(secret), JSON.stringify(secret).slice(1, -1)];
  return [
    ...plain,
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    bytes.toString('latin1'),
  ];
}

/** The secrets that a text gives away. */
function leaks(text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => writings(secret).some((writing) => text.includes(writing)));
}

/** A receiver that answers with all that it was told, as a badly made one does. */
function echo({ headers, body, path }: SinkRequest): string {
  return `${path} ${JSON.stringify(headers)} ${body}`;
}

describe.each(PROFILES)('secrets, $name', (profile) => {
  test('what was planted comes out nowhere: answers, errors, logs, metrics, files', async () => {
    const [mail, slack, hook] = await Promise.all([MailSink.open(LOGIN), HttpSink.open(), HttpSink.open()]);
    onTestFinished(async () => void (await Promise.all([mail.close(), slack.close(), hook.close()])));
    const env = { SMTP_URL: mail.urlWith(LOGIN), TIDEMARK_SECRET: SEALING, LOG_LEVEL: 'debug' };
    const platform = await openPlatform(profile, { env, keys: [{}] });
    const [key] = platform.keys;
    const told: string[] = [];
    const api = platform.client({ key, onAnswer: (answer) => told.push(JSON.stringify(answer.headers) + answer.text) });

    const channels: Record<string, object> = {
      mail: { kind: 'email', to: ['on-call@example.test'] },
      'own mail': { kind: 'email', to: ['on-call@example.test'], smtp_url: mail.urlWith(OWN_LOGIN) },
      slack: { kind: 'slack', url: `${slack.url}/services/${SLACK_PATH}` },
      hook: {
        kind: 'webhook',
        url: `${hook.url}/${URL_TOKEN}?token=${URL_TOKEN}`,
        secret: SIGNING,
        headers: { authorization: `Bearer ${HEADER_TOKEN}` },
      },
    };
    const ids: string[] = [];
    for (const [name, channel] of Object.entries(channels)) {
      ids.push((await api.must(api.post('channels', { name, ...channel }))).id);
    }
    await api.must(api.post('models', model('m', { thresholds: { latency: 10 } })));
    let turn = 0;
    const alarm = async (): Promise<void> => {
      await api.must(api.post('metrics/inference', inference(`m${turn}`, 'r')));
      await api.must(api.post('models', model(`m${++turn}`, { thresholds: { latency: 10 } })));
      await api.must(api.post('metrics/inference', inference(`m${turn}`, 'r', { latency: 5000 })));
    };
    const failures: ((request: SinkRequest) => { status: number; headers?: Record<string, string>; body: string })[] = [
      (request) => ({ status: 200, body: echo(request) }),
      (request) => ({ status: 500, body: echo(request) }),
      (request) => ({ status: 429, headers: { 'retry-after': '1' }, body: echo(request) }),
      (request) => ({ status: 302, headers: { location: `http://127.0.0.1:1${request.path}` }, body: echo(request) }),
      (request) => ({ status: 403, body: echo(request) }),
    ];
    for (const failure of failures) {
      slack.answer = failure;
      hook.answer = failure;
      await alarm();
      for (const id of ids) expect((await api.post(`channels/${id}/test`)).status).toBe(200);
    }
    await Promise.all([slack.down(), hook.down(), mail.down()]);
    await alarm();
    for (const id of ids) {
      const { outcome } = await api.must(api.post(`channels/${id}/test`));
      expect(outcome).not.toBe('delivered');
    }
    await waitFor('every delivery to be tried', async () => {
      const { deliveries } = await api.must(api.get('deliveries'));
      return deliveries.length >= 6 * ids.length && deliveries.every(({ attempts }: Json) => attempts > 0);
    });
    expect(mail.mails.length).toBeGreaterThan(3); // the right login was really used
    expect(hook.requests[0].headers.authorization).toBe(`Bearer ${HEADER_TOKEN}`);
    expect(slack.requests[0].path).toBe(`/services/${SLACK_PATH}`);
    expect(leaks(echo(hook.requests[0]), PLANTED)).toEqual([URL_TOKEN, HEADER_TOKEN]); // the search does find

    await badRequests(api, ids);
    const wrong = platform.client({ key: `${key}${BAD}`, onAnswer: (answer) => told.push(answer.text) });
    expect((await wrong.get(`models?api_key=${BAD}`)).status).toBe(401);
    await readEverything(api);

    await platform.stop();
    await platform.start();
    await readEverything(api);
    await platform.kill();

    const secrets = [...PLANTED, key.split('_')[2]];
    expect(leaks(told.join('\n'), secrets), 'in answers').toEqual([]);
    expect(leaks(platform.output, secrets), 'in the log').toEqual([]);
    expect(platform.output.split('\n').length).toBeGreaterThan(100); // the log was there to look at
    // In production these are also the files of PostgreSQL, InfluxDB and Redis, which hold rows, lines and jobs.
    for (const entry of await readdir(platform.dataDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      expect(leaks(bytes.toString('latin1'), secrets), `in ${entry.name}`).toEqual([]);
    }
  });
});

describe.each(ALONE)('the data folder, $name', (profile) => {
  test('the key that seals secrets can be read by its owner only', async () => {
    const platform = await openPlatform(profile);
    expect((await stat(platform.dataDir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(platform.dataDir, 'secret.key'))).mode & 0o777).toBe(0o600);
  });
});

/** Requests whose faults are the secrets themselves: an answer must name the place, not the value. */
async function badRequests(api: Client, [mail, , slack, hook]: readonly string[]): Promise<void> {
  const bad: [string, object][] = [
    [slack ?? '', { kind: 'slack', url: `ftp://127.0.0.1/${BAD}` }],
    [slack ?? '', { kind: 'slack', url: `http://user:${BAD}@127.0.0.1/` }],
    [hook ?? '', { kind: 'webhook', secret: BAD }],
    [hook ?? '', { kind: 'webhook', secret: `whsec_${BAD}` }],
    [hook ?? '', { kind: 'webhook', headers: { authorization: `${BAD}\r\nx: y` } }],
    [hook ?? '', { kind: 'webhook', headers: { 'bad name': BAD } }],
    [mail ?? '', { kind: 'email', smtp_url: `smtp://u:${BAD}@host?debug=true` }],
    [mail ?? '', { kind: 'email', smtp_url: `http://u:${BAD}@host` }],
    [mail ?? '', { kind: 'email', to: [`${BAD}\r\n@example.test`] }],
  ];
  for (const [id, body] of bad) {
    const answers: Answer[] = [
      await api.put(`channels/${id}`, body),
      await api.post('channels', { name: 'bad', ...body }),
    ];
    for (const { status } of answers) expect(status).toBe(422);
  }
}

/** Asks every route that only reads, for each thing that there is. */
async function readEverything(api: Client): Promise<void> {
  const lists: Record<string, Json[]> = {
    alerts: await api.must(api.get('alerts')),
    channels: (await api.must(api.get('channels'))).channels,
    deliveries: (await api.must(api.get('deliveries'))).deliveries,
    models: (await api.must(api.get('models'))).models,
    keys: [],
  };
  for (const { method, path } of await apiRoutes(api)) {
    if (method !== 'GET') continue;
    const kind = /^\/api\/v1\/([a-z]+)\//.exec(path)?.[1] ?? '';
    const targets = path.includes('{id}')
      ? (lists[kind] ?? []).map(({ id }) => path.replace('{id}', encodeURIComponent(id)))
      : ['inference', 'drift', 'alerts'].map((what) => path.replace('{what}', what));
    // The live feed is asked for with an upgrade.
    const status = path === '/api/v1/live' ? 426 : 200;
    for (const target of targets) expect((await api.get(target)).status).toBe(status);
  }
}

test('a variable that cannot be read is named at boot, and its value is not shown', async () => {
  const main = fileURLToPath(new URL('../apps/api/dist/main.js', import.meta.url));
  const env = {
    API_PORT: BAD,
    SMTP_URL: `smtp://user:${OWN_LOGIN.password}@mail.example.test:25/path`,
    TIDEMARK_SECRET: 'planted-too-short',
    TIDEMARK_PUBLIC_URL: `ftp://user:${HEADER_TOKEN}@example.test`,
    TIDEMARK_STRANGER: URL_TOKEN,
  };
  const started = Process.start({ command: process.execPath, args: [main], env });
  expect(await started.exited).toEqual({ code: 1, signal: null });
  const named = started.output.split('\n').map((line) => /^tidemark: ([A-Z_]+): /.exec(line)?.[1]);
  expect(named.filter((name) => name !== undefined).sort()).toEqual(Object.keys(env).sort());
  expect(leaks(started.output, [OWN_LOGIN.password, 'planted-too-short', HEADER_TOKEN, URL_TOKEN])).toEqual([]);
});
