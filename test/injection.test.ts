import { describe, expect, test } from 'vitest';
import type { Json } from './rig/client.js';
import { inference, model } from './rig/fixtures.js';
import { openPlatform, PROFILES } from './rig/platform.js';
import { SIGNING_SECRET, ThreeReceivers } from './rig/receivers/three-receivers.js';
import { settledLedger } from './rig/settled-ledger.js';
import { drained } from './rig/stored-points.js';

/** Names that are allowed, because they hold no control character, and that no message may obey. */
const NAMES = [
  '<!channel> <!here> <@U0123> <#C0123> <http://evil.example|click here>',
  '*bold* _italic_ ~struck~ `code` ```block```',
  '<img src=x onerror=alert(1)><script>alert(2)</script>',
  '"><a href="http://evil.example">click</a><!--',
  'a\u202egnp.exe \u200bhidden\u2066',
  'model, bcc: victim@example.test; x@example.test',
  '%0d%0aBcc: victim@example.test =?utf-8?q?=0d=0aBcc:_x?=',
  '=HYPERLINK("http://evil.example","x")',
  'emoji 🚨 and Größe and 模型',
  '{{constructor}} ${7*7} #{7*7} %s %n',
  `long ${'x'.repeat(240)}`,
];

const CONTROLS = [
  '\r\nBcc: victim@example.test',
  '\n',
  '\u001b[31mred',
  '\u0000',
  '\u007f',
  '\u0085',
  '\u2028',
  '\ud800',
];

/** The headers that our mails have; one more would have been injected. */
const MAIL_HEADERS = [
  ...['from', 'to', 'subject', 'message-id', 'references', 'date', 'mime-version', 'content-type'],
  ...['auto-submitted', 'x-auto-response-suppress', 'content-transfer-encoding'],
];

describe.each(PROFILES)('text from strangers, $name', (profile) => {
  test('in names and messages adds no header, no recipient, no mention, no link, no markup, no line', async () => {
    const receivers = await ThreeReceivers.open();
    const env = {
      SMTP_URL: receivers.mail.url,
      LOG_LEVEL: 'debug',
      TIDEMARK_PUBLIC_URL: 'https://tidemark.example.test',
    };
    const platform = await openPlatform(profile, { env });
    const api = platform.client();
    await receivers.connect(api);
    for (const name of NAMES) {
      await api.must(api.post('models', model(name, { name, version: name })));
      const metric = inference(name, name, { latency: 5000, tags: { [name.slice(0, 60)]: name } });
      const answer = await api.post('metrics/inference', metric, {
        headers: { 'x-request-id': `${name}`.replace(/[^\x20-\x7e]/g, '') },
      });
      expect([name, answer.status]).toEqual([name, 201]);
      expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
    }
    for (const { id } of await api.must(api.get('alerts'))) await settledLedger(api, id, 3);

    expect(receivers.mail.mails).toHaveLength(NAMES.length);
    for (const { recipients, raw, parsed } of receivers.mail.mails) {
      expect(recipients).toEqual(['on-call@example.test']);
      expect(parsed.to?.map(({ address }) => address)).toEqual(['on-call@example.test']);
      expect(parsed.headers.map(({ key }) => key).filter((key) => !MAIL_HEADERS.includes(key))).toEqual([]);
      expect(parsed.headers.filter(({ key }) => key === 'to' || key === 'subject')).toHaveLength(2);
      expect(raw.slice(0, raw.indexOf('\r\n\r\n'))).toMatch(/^[\x20-\x7e\r\n\t]*$/);
      expect(parsed.subject).toMatch(/^\[CRITICAL\] .*: High latency detected$/);
      expect(parsed.html).not.toMatch(/<(script|img|a href="http:\/\/evil)/i);
      expect(parsed.html).not.toMatch(/[\u202e\u200b\u2066]/);
      expect(
        [...(parsed.html ?? '').matchAll(/href="([^"]*)"/g)].every(([, url]) =>
          url.startsWith('https://tidemark.example.test/'),
        ),
      ).toBe(true);
    }
    expect(receivers.slack.requests).toHaveLength(NAMES.length);
    for (const { body } of receivers.slack.requests) {
      const links = [...body.matchAll(/<([^>]*)>/g)].map(([, inside]) => inside);
      expect(links.filter((link) => !link.startsWith('https://tidemark.example.test/'))).toEqual([]);
      expect(body).not.toMatch(/<[!@#]/);
      const { attachments } = JSON.parse(body);
      for (const { text } of everyText(attachments)) expect(text).not.toMatch(/`/);
    }
    // Machines are told the name as it is.
    expect(
      receivers
        .calls()
        .map(({ model_id }) => model_id)
        .sort(),
    ).toEqual(NAMES.toSorted());
    expect((await api.must(api.get('models'))).models.map(({ id }: Json) => id)).toEqual(NAMES);

    await drained(platform);
    const csv = (await api.get('export/inference?format=csv')).text;
    expect(csv.split('\r\n').filter((line) => line !== '')).toHaveLength(NAMES.length + 1);
    expect(csv).not.toMatch(/(^|,)"?=/m);
    const logged = platform.output.split('\n').filter((line) => line.includes('"level"'));
    for (const line of logged) expect(JSON.parse(line)).toHaveProperty('msg');
    // eslint-disable-next-line no-control-regex
    expect(platform.output).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/);
  });

  test('with a control character is refused wherever a name goes', async () => {
    const receivers = await ThreeReceivers.open();
    const platform = await openPlatform(profile, { env: { SMTP_URL: receivers.mail.url } });
    const api = platform.client();
    const channels = await receivers.connect(api);
    const slack = { kind: 'slack', url: receivers.slack.url };
    const hook = { kind: 'webhook', name: 'h', url: receivers.webhook.url, secret: SIGNING_SECRET };
    const drift = { model_id: 'm', drift_type: 'data', severity: 'critical', confidence: 1 };
    for (const control of CONTROLS) {
      const bad = `name${control}`;
      const refused: [string, object][] = [
        ['models', model(bad)],
        ['models', model('m', { name: bad })],
        ['models', model('m', { version: bad })],
        ['metrics/inference', inference(bad, 'r', { latency: 5000 })],
        ['metrics/inference', inference('m', bad)],
        ['metrics/inference', inference('m', 'r', { tags: { a: bad } })],
        ['metrics/inference', inference('m', 'r', { tags: { [bad]: 'a' } })],
        ['metrics/inference', inference('m', 'r', { values: { [bad]: 1 } })],
        ['metrics/drift', { ...drift, model_id: bad }],
        ['metrics/drift', { ...drift, tags: { a: bad } }],
        ['channels', { ...slack, name: bad }],
        ['channels', { ...hook, headers: { 'x-a': `a${control}b` } }],
        ['channels', { ...hook, headers: { [bad]: 'a' } }],
        ['channels', { kind: 'email', name: 'm', to: [`a@example.test${control}`] }],
        ['channels', { kind: 'email', name: 'm', to: [`a${control}@example.test`] }],
        ['channels', { kind: 'email', name: 'm', to: ['a@example.test'], from: `T${control} <t@example.test>` }],
        ['keys', { name: bad, scopes: ['read'] }],
      ];
      for (const [path, body] of refused) {
        const answer = await api.post(path, body);
        expect([path, body, answer.status]).toEqual([path, body, 422]);
        expect(answer.json.errors.length).toBeGreaterThan(0);
      }
    }
    for (const to of [
      'a@example.test, b@example.test',
      'a@example.test;b@example.test',
      'A <a@example.test>',
      'a b@example.test',
      '@',
      '',
    ]) {
      expect((await api.post('channels', { kind: 'email', name: 'm', to: [to] })).status).toBe(422);
    }
    expect((await api.must(api.get('channels'))).channels.map(({ id }: Json) => id).sort()).toEqual(
      Object.values(channels).sort(),
    );
    expect(await api.must(api.get('alerts'))).toEqual([]);
    expect((await api.must(api.get('summary'))).total_requests).toBe(0);
  });

  test('in a channel that is tested is said and not obeyed', async () => {
    const receivers = await ThreeReceivers.open();
    const platform = await openPlatform(profile, { env: { SMTP_URL: receivers.mail.url } });
    const api = platform.client();
    for (const name of NAMES.map((one) => one.slice(0, 200))) {
      const made = await Promise.all([
        api.must(api.post('channels', { name, kind: 'slack', url: receivers.slack.url })),
        api.must(api.post('channels', { name, kind: 'email', to: ['on-call@example.test'] })),
      ]);
      for (const { id } of made) {
        expect(await api.must(api.post(`channels/${id}/test`))).toMatchObject({ outcome: 'delivered' });
      }
    }
    for (const { body } of receivers.slack.requests) expect(body).not.toMatch(/<[!@#h]/);
    for (const { parsed, recipients } of receivers.mail.mails) {
      expect(recipients).toEqual(['on-call@example.test']);
      expect(parsed.headers.map(({ key }) => key).filter((key) => !MAIL_HEADERS.includes(key))).toEqual([]);
      expect(parsed.html).not.toMatch(/<(script|img|a )/i);
    }
  });
});

/** Every mrkdwn text in a Slack message, at any depth. */
function everyText(value: Json): { readonly text: string }[] {
  if (Array.isArray(value)) return value.flatMap(everyText);
  if (typeof value !== 'object' || value === null) return [];
  const own = value.type === 'mrkdwn' ? [value] : [];
  return [...own, ...Object.values(value).flatMap(everyText)];
}
