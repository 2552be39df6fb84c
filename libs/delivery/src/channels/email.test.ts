import PostalMime from 'postal-mime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../rig/http-channel-bench.js';
import { sampleNotification } from '../rig/notification-sample.js';
import { openSmtpReceiver, type SmtpReceiver } from '../rig/smtp-receiver.js';
import { createAddressGuard, parseAllowList } from './address-guard.js';
import { describeChannel } from './channel.contract.js';
import { EmailChannel, type EmailOptions } from './email.js';
import { systemResolve } from './guarded-connect.js';
import { isMailAddress, parseMailbox } from './mail-address.js';
import { smtpFailure } from './smtp-outcome.js';
import { parseSmtpUrl, type SmtpServer } from './smtp-server-url.js';

const from = { name: 'Tidemark', address: 'alerts@example.org' };
const to = ['one@example.org', 'two@example.org'];
const serverAt = (port: number, changes: Partial<SmtpServer> = {}): SmtpServer => ({
  host: '127.0.0.1',
  port,
  implicitTls: false,
  tls: 'verify',
  ...changes,
});

const MOODS = {
  accept: {},
  'refuse for now': { dataReply: 451 },
  'refuse for good': { dataReply: 554 },
  hang: { hang: true },
  reset: { reset: true },
};

describeChannel('EmailChannel', async () => {
  const receiver = await openSmtpReceiver();
  const channelTo = (port: number, timeoutMs = 15_000) =>
    new EmailChannel({ server: serverAt(port), from, to, timeoutMs });
  const channel = channelTo(receiver.port);
  const hasty = channelTo(receiver.port, 300);
  const unreachable = channelTo(await freePort());
  return {
    channel,
    hasty,
    unreachable,
    setMood: (mood) => receiver.behave(MOODS[mood]),
    received: () => receiver.mails.map(({ raw }) => raw),
    connections: receiver.connections,
    close: async () => {
      await channel.close();
      await hasty.close();
      await unreachable.close();
      await receiver.close();
    },
  };
});

describe('EmailChannel', () => {
  let receiver: SmtpReceiver;
  const send = (options: Partial<EmailOptions> = {}, changes = {}) =>
    new EmailChannel({ server: serverAt(receiver.port), from, to, timeoutMs: 15_000, ...options }).send(
      sampleNotification(changes),
      new AbortController().signal,
    );
  const firstMail = () => PostalMime.parse(receiver.mails[0]?.raw ?? '');

  beforeEach(async () => {
    receiver = await openSmtpReceiver();
  });
  afterEach(async () => {
    await receiver.close();
  });

  it('sends one message with a text and an HTML part to all recipients', async () => {
    expect(await send()).toEqual({ kind: 'sent', detail: '2 accepted' });
    const mail = await firstMail();
    expect(receiver.mails[0]?.to).toEqual(to);
    expect(mail.subject).toBe('[CRITICAL] my-model: High latency detected');
    expect(mail.from).toMatchObject({ name: 'Tidemark', address: 'alerts@example.org' });
    expect(mail.text).toContain('2500.0 ms');
    expect(mail.html).toContain('2500.0 ms');
  });

  it('gives the same Message-ID to every repeat of an event, and one thread to every alert', async () => {
    await send();
    await send();
    await send({}, { event_id: 'evt_other' });
    const mails = await Promise.all(receiver.mails.map(({ raw }) => PostalMime.parse(raw)));
    expect(mails.map(({ messageId }) => messageId)).toEqual([
      '<evt_1f0a@example.org>',
      '<evt_1f0a@example.org>',
      '<evt_other@example.org>',
    ]);
    expect(new Set(mails.map(({ references }) => references))).toEqual(new Set(['<alert-alr_77@example.org>']));
  });

  it.each([
    ['carriage return and line feed', 'm\r\nBcc: evil@example.org\r\n\r\nbody'],
    ['a lone line feed', 'm\nBcc: evil@example.org'],
    ['a lone carriage return', 'm\rBcc: evil@example.org'],
    ['unicode line separators', 'm\u2028Bcc: evil@example.org\u2029Bcc: evil@example.org\u0085Bcc: evil@example.org'],
    ['an encoded word', 'm =?utf-8?Q?=0D=0ABcc:_evil@example.org?='],
    ['a vertical tab and a form feed', 'm\vBcc: evil@example.org\fBcc: evil@example.org'],
  ])('adds no header and no recipient through %s', async (_name, text) => {
    await send({}, { model_id: text, message: text, event_id: text, alert_id: text, project: text });
    const mail = await firstMail();
    const expected = ['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'references'];
    expect(mail.headers.map(({ key }) => key).sort()).toEqual([
      ...expected,
      'subject',
      'to',
      'x-auto-response-suppress',
    ]);
    expect(receiver.mails[0]?.to).toEqual(to);
    expect(mail.bcc ?? []).toEqual([]);
    expect(mail.subject).not.toMatch(/[\r\n\u0085\u2028\u2029]/);
    // Nor for a reader that splits lines at anything that Unicode calls a line end.
    const head = (receiver.mails[0]?.raw ?? '').split('\r\n\r\n')[0] ?? '';
    expect(head.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/).filter((line) => /^bcc:/i.test(line))).toEqual([]);
  });

  it('keeps a name of any language in the subject', async () => {
    await send({}, { model_id: 'Übersetzer 翻译 🙂' });
    expect((await firstMail()).subject).toBe('[CRITICAL] Übersetzer 翻译 🙂: High latency detected');
  });

  it('has sent when some recipients were served, and says how many were not', async () => {
    receiver.behave({ refuse: { 'two@example.org': 550 } });
    expect(await send()).toEqual({ kind: 'sent', detail: '1 accepted, 1 refused by the server' });
  });

  it.each([
    [550, 'reject'],
    [553, 'reject'],
    [450, 'retry'],
    [452, 'retry'],
  ])('takes a %i to every recipient as %s', async (code, kind) => {
    receiver.behave({ refuse: { 'one@example.org': code, 'two@example.org': code } });
    expect(await send()).toMatchObject({ kind, reason: `SMTP ${code}: refused by the test` });
    expect(receiver.mails).toHaveLength(0);
  });

  it('tells what the server says, as one line of bounded length', async () => {
    receiver.behave({ dataReply: 554, dataWords: '5.7.1 Rejected\u0007 as spam; see\u202e https://mail.example/s' });
    const reason = 'SMTP 554: 5.7.1 Rejected as spam; see https://mail.example/s';
    expect(await send()).toEqual({ kind: 'reject', reason });
    const response = '554-5.7.1 Rejected\r\n554-\u001b[31mas spam\u001b[0m\r\n554 for good';
    const several = 'SMTP 554: 5.7.1 Rejected as spam for good';
    expect(smtpFailure({ code: 'EMESSAGE', responseCode: 554, response })).toEqual({ kind: 'reject', reason: several });
    receiver.behave({ dataReply: 451, dataWords: 'busy '.repeat(400) });
    expect(await send()).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/^SMTP 451: (busy )+.*…$/) });
    expect(JSON.stringify(await send()).length).toBeLessThan(250);
  });

  it('does not reveal a login to a server that offers no TLS', async () => {
    const users: string[] = [];
    await receiver.close();
    receiver = await openSmtpReceiver({
      disabledCommands: ['STARTTLS'],
      onAuth: (auth, _session, done) => {
        users.push(auth.username ?? '');
        done(null, { user: 'u' });
      },
    });
    const outcome = await send({ server: serverAt(receiver.port, { user: 'u', password: 'p4ss' }) });
    const reason = 'SMTP 500: the server offers no TLS, and a login is not sent without it';
    expect(outcome).toEqual({ kind: 'reject', reason });
    expect(users).toEqual([]);
  });

  it('logs in where it is told to do without TLS, and rejects when the login is refused', async () => {
    await receiver.close();
    receiver = await openSmtpReceiver({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: ({ password }, _session, done) => {
        if (password === 'right') done(null, { user: 'u' });
        else done(Object.assign(new Error(`bad password ${password ?? ''}`), { responseCode: 535 }));
      },
    });
    const server = (password: string) => serverAt(receiver.port, { user: 'u', password, tls: 'off' as const });
    expect(await send({ server: server('right') })).toMatchObject({ kind: 'sent' });
    const refused = await send({ server: server('wr0ng') });
    expect(refused).toEqual({ kind: 'reject', reason: 'SMTP 535: the server refused the login' });
  });

  it('refuses a mail server inside the network that a user named, without a connection', async () => {
    const guard = { guard: createAddressGuard(), resolve: systemResolve };
    const outcome = await send({ guard });
    expect(outcome).toEqual({ kind: 'reject', reason: expect.stringContaining('127.0.0.1 is not a public address') });
    const named = await send({ guard, server: serverAt(receiver.port, { host: 'localhost' }) });
    expect(named).toMatchObject({ kind: 'reject' });
    expect(receiver.connections()).toBe(0);
  });

  it('reaches a mail server that the allow-list names', async () => {
    const allowed = parseAllowList([`127.0.0.1:${receiver.port}`]);
    const rules = allowed.ok ? allowed.rules : [];
    const guard = { guard: createAddressGuard(rules), resolve: systemResolve };
    expect(await send({ guard })).toMatchObject({ kind: 'sent' });
  });
});

describe('isMailAddress', () => {
  it.each([
    'a@b',
    'team@example.org',
    'first.last+tag@sub.example-1.org',
    "o'brien@example.org",
    'x@xn--bcher-kva.example',
  ])('accepts %s', (text) => {
    expect(isMailAddress(text)).toBe(true);
  });

  it.each([
    '',
    '@',
    'a@',
    '@b',
    'a',
    'a@b,c@d',
    'a@b;c@d',
    'a@b c@d',
    'a@b\r\nRCPT TO:<c@d>',
    'a@b\n',
    'a@b\u2028c@d',
    'a(comment)@b',
    'a@b(comment)',
    'group:a@b,c@d;',
    'Name <a@b>',
    '<a@b>',
    '"a b"@c',
    '"a@b"@c',
    'a@[127.0.0.1]',
    '@relay:a@b',
    'a%b@c@d',
    'a..b@c',
    '.a@b',
    'a.@b',
    'a@b..c',
    'a@-b',
    'a@b_c',
    'ä@b',
    'a@bücher.example',
    'a\u0000@b',
    `${'a'.repeat(65)}@b`,
    `a@${'b.'.repeat(130)}c`,
  ])('refuses %j', (text) => {
    expect(isMailAddress(text)).toBe(false);
  });
});

describe('parseMailbox', () => {
  it('reads an address with and without a name', () => {
    expect(parseMailbox('a@b.org')).toEqual({ name: 'Tidemark', address: 'a@b.org' });
    expect(parseMailbox('ML Alerts <a@b.org>')).toEqual({ name: 'ML Alerts', address: 'a@b.org' });
  });

  it.each(['', 'A <a@b>, B <c@d>', 'A\r\nBcc: x@y <a@b>', '"A" <a@b>', 'A <a@b> x', 'A <<a@b>>', 'A <a@b'])(
    'refuses %j',
    (text) => {
      expect(parseMailbox(text)).toBeUndefined();
    },
  );
});

describe('parseSmtpUrl', () => {
  it.each([
    ['smtp://mail.example.org', { host: 'mail.example.org', port: 587, implicitTls: false, tls: 'verify' }],
    ['smtps://mail.example.org', { host: 'mail.example.org', port: 465, implicitTls: true, tls: 'verify' }],
    ['smtp://127.0.0.1:1025?tls=off', { host: '127.0.0.1', port: 1025, implicitTls: false, tls: 'off' }],
    [
      'smtp://u%40x:p%3Aw@h:25/?tls=unverified',
      { host: 'h', port: 25, implicitTls: false, tls: 'unverified', user: 'u@x', password: 'p:w' },
    ],
    ['smtp://[::1]:25', { host: '::1', port: 25, implicitTls: false, tls: 'verify' }],
  ])('reads %s', (text, server) => {
    expect(parseSmtpUrl(text)).toEqual({ ok: true, server });
  });

  it.each([
    '',
    'mail.example.org',
    'http://mail.example.org',
    'smtp://',
    'smtp://h/path',
    'smtp://h?pool=true',
    'smtp://h?proxy=http://evil',
    'smtp://h?tls=maybe',
    'smtps://h?tls=off',
    'smtp://u%zz:p@h',
    'smtp://u%0d%0a:p@h',
    'smtp://h\r\n',
  ])('refuses %j and does not repeat it', (text) => {
    const result = parseSmtpUrl(text);
    expect(result).toMatchObject({ ok: false });
    expect(JSON.stringify(result)).not.toContain('u%');
  });
});
