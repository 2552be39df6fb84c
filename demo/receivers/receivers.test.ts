import { createTransport } from 'nodemailer';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test } from 'vitest';
import type { Receiver } from './http-receiver.js';
import { printable } from './printable.js';
import { type SlackMessage, startSlackReceiver } from './slack-receiver.js';
import { type MailMessage, startSmtpReceiver } from './smtp-receiver.js';
import { startWebhookReceiver, type WebhookMessage } from './webhook-receiver.js';

const SECRET = `whsec_${Buffer.from('twenty-four bytes of key').toString('base64')}`;
const open: Receiver[] = [];

function opened<T extends Receiver>(receiver: T): T {
  open.push(receiver);
  return receiver;
}

afterEach(async () => {
  for (const receiver of open.splice(0)) await receiver.close();
});

describe('the mail receiver', () => {
  test('hands on the envelope and both bodies of a mail before the sender is told', async () => {
    const mails: MailMessage[] = [];
    const { port, url } = opened(await startSmtpReceiver({ onMessage: (mail) => mails.push(mail) }));
    expect(url).toBe(`smtp://127.0.0.1:${port}`);
    await createTransport(url).sendMail({
      from: 'Tidemark <tidemark@example.test>',
      to: 'on-call@example.test',
      subject: '[CRITICAL] wine-classifier: Größe',
      text: 'plain',
      html: '<p>rich</p>',
      messageId: '<event-1@example.test>',
    });
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({
      sender: 'tidemark@example.test',
      recipients: ['on-call@example.test'],
      subject: '[CRITICAL] wine-classifier: Größe',
      messageId: '<event-1@example.test>',
    });
    expect(mails[0].text.trim()).toBe('plain');
    expect(mails[0].html.trim()).toBe('<p>rich</p>');
  });

  test('refuses a mail over 1 MiB and takes the next', async () => {
    const mails: MailMessage[] = [];
    const { url } = opened(await startSmtpReceiver({ onMessage: (mail) => mails.push(mail) }));
    const mail = { from: 'a@example.test', to: 'b@example.test', subject: 's' };
    const large = createTransport(url).sendMail({ ...mail, text: 'words and words\n'.repeat(100_000) });
    await expect(large).rejects.toMatchObject({ responseCode: 552 });
    await createTransport(url).sendMail({ ...mail, text: 'short' });
    expect(mails.map(({ text }) => text.trim())).toEqual(['short']);
  });

  test('refuses the mail when the one who reads it fails', async () => {
    const onMessage = (): never => {
      throw new Error('no paper');
    };
    const { url } = opened(await startSmtpReceiver({ onMessage }));
    const sent = createTransport(url).sendMail({ from: 'a@example.test', to: 'b@example.test', text: 't' });
    await expect(sent).rejects.toThrow('no paper');
  });
});

describe('the webhook receiver', () => {
  const body = JSON.stringify({ event: 'fired', severity: 'critical' });

  function headersFor(payload: string, at: Date = new Date(), secret: string = SECRET): Record<string, string> {
    return {
      'webhook-id': 'event-1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign('event-1', at, payload),
    };
  }

  async function call(
    payload: string,
    headers: Record<string, string>,
    method = 'POST',
  ): Promise<[number, WebhookMessage[]]> {
    const messages: WebhookMessage[] = [];
    const onMessage = (message: WebhookMessage): number => messages.push(message);
    const { url } = opened(await startWebhookReceiver({ secret: SECRET, onMessage }));
    const response = await fetch(url, { method, headers, body: method === 'GET' ? undefined : payload });
    return [response.status, messages];
  }

  test.each(['POST', 'PUT'])('hands on a %s whose signature is right', async (method) => {
    const [status, messages] = await call(body, headersFor(body), method);
    expect(status).toBe(204);
    expect(messages).toEqual([{ outcome: 'verified', id: 'event-1', body: { event: 'fired', severity: 'critical' } }]);
  });

  const other = `whsec_${Buffer.from('another key of 24 bytes!').toString('base64')}`;
  test.each<[string, string, Record<string, string>]>([
    ['no signature', body, {}],
    ['the signature of another body', body, headersFor('{}')],
    ['the signature of another secret', body, headersFor(body, new Date(), other)],
    ['an old timestamp', body, headersFor(body, new Date(Date.now() - 3_600_000))],
    ['a body that is not JSON', 'fired!', headersFor('fired!')],
  ])('refuses a call with %s', async (_name, payload, headers) => {
    const [status, messages] = await call(payload, headers);
    expect(status).toBe(401);
    expect(messages.map(({ outcome }) => outcome)).toEqual(['refused']);
  });

  test('answers 405 to a GET and 413 to a body over 1 MiB, and hands on neither', async () => {
    expect(await call('', {}, 'GET')).toEqual([405, []]);
    const large = 'x'.repeat(1024 * 1024 + 1);
    expect(await call(large, headersFor(large))).toEqual([413, []]);
  });
});

describe('the Slack receiver', () => {
  test('answers ok to a JSON object, and invalid_payload to anything else', async () => {
    const messages: SlackMessage[] = [];
    const { url } = opened(await startSlackReceiver({ onMessage: (message) => messages.push(message) }));
    const post = async (body: string): Promise<string> => (await fetch(url, { method: 'POST', body })).text();
    expect(await post('{"text":"High latency","blocks":[]}')).toBe('ok');
    expect(await post('{"blocks":[]}')).toBe('ok');
    for (const body of ['', '[]', 'null', '"text"', '{']) expect(await post(body)).toBe('invalid_payload');
    expect(messages).toEqual([
      { text: 'High latency', body: { text: 'High latency', blocks: [] } },
      { text: '', body: { blocks: [] } },
    ]);
  });
});

test('a receiver whose reader fails says so, so that the sender tries again', async () => {
  const onMessage = (): never => {
    throw new Error('no paper');
  };
  const { url } = opened(await startSlackReceiver({ onMessage }));
  expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(500);
});

test('a closed receiver answers nobody, whatever connections were open', async () => {
  const receiver = await startSlackReceiver({ onMessage: () => undefined });
  await fetch(receiver.url, { method: 'POST', body: '{}' });
  await receiver.close();
  await expect(fetch(receiver.url, { method: 'POST', body: '{}' })).rejects.toThrow();
});

test('text from the network is printed on one line without control characters', () => {
  expect(printable('red \u001b[31malert\u0007\r\nINFO forged\u202e\u2028x ')).toBe('red [31malert INFO forged x');
});
