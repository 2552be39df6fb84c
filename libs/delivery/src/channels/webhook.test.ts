import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openedChannel, openHttpBench, openLoopbackFetch } from '../rig/http-channel-bench.js';
import { type HttpReceiver, openHttpReceiver } from '../rig/http-receiver.js';
import { sampleNotification } from '../rig/notification-sample.js';
import { createAddressGuard } from './address-guard.js';
import { describeChannel } from './channel.contract.js';
import type { WebhookConfig } from './channel-config.js';
import { systemResolve } from './guarded-connect.js';
import { openSafeFetch, type SafeFetch } from './safe-fetch.js';
import { decodeWebhookSecret, newWebhookSecret } from './webhook-signature.js';

const secret = newWebhookSecret(randomBytes);
const configFor = (url: string): WebhookConfig => ({ kind: 'webhook', url, method: 'POST', secret });

describeChannel('WebhookChannel', () => openHttpBench(configFor));

describe('WebhookChannel', () => {
  let receiver: HttpReceiver;
  let http: SafeFetch;
  const sendWith = (changes: Partial<WebhookConfig>, now: () => number = Date.now) =>
    openedChannel({ ...configFor(receiver.url), ...changes }, http, now).send(
      sampleNotification(),
      new AbortController().signal,
    );

  beforeEach(async () => {
    receiver = await openHttpReceiver();
    http = openLoopbackFetch();
  });
  afterEach(async () => {
    await http.close();
    await receiver.close();
  });

  it('signs what it sends so that another implementation of Standard Webhooks accepts it', async () => {
    await sendWith({});
    const [request] = receiver.requests;
    const headers = Object.fromEntries(Object.entries(request?.headers ?? {}).map(([k, v]) => [k, String(v)]));
    expect(new Webhook(secret).verify(request?.body ?? '', headers)).toEqual(sampleNotification());
    expect(headers['webhook-id']).toBe('evt_1f0a');
    expect(headers['content-type']).toBe('application/json');
    expect(() => new Webhook(newWebhookSecret(randomBytes)).verify(request?.body ?? '', headers)).toThrow();
  });

  it('puts the time of sending into the signature, in seconds', async () => {
    await sendWith({}, () => 1_700_000_000_999);
    expect(receiver.requests[0]?.headers['webhook-timestamp']).toBe('1700000000');
  });

  it.each(['POST', 'PUT'] as const)('uses %s where it is told to', async (method) => {
    await sendWith({ method });
    expect(receiver.requests[0]?.method).toBe(method);
  });

  it('adds custom headers, which never replace its own', async () => {
    const headers = {
      Authorization: 'Bearer t0ken',
      'User-Agent': 'mine',
      'Content-Type': 'text/plain',
      'Webhook-Id': 'x',
    };
    await sendWith({ headers });
    const got = receiver.requests[0]?.headers ?? {};
    expect(got).toMatchObject({ authorization: 'Bearer t0ken', 'user-agent': 'mine' });
    expect(got).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'evt_1f0a' });
  });

  it.each([
    [200, 'sent'],
    [204, 'sent'],
    [301, 'reject'],
    [302, 'reject'],
    [307, 'reject'],
    [400, 'reject'],
    [401, 'reject'],
    [404, 'reject'],
    [408, 'retry'],
    [410, 'reject'],
    [413, 'reject'],
    [425, 'retry'],
    [429, 'retry'],
    [500, 'retry'],
    [502, 'retry'],
    [503, 'retry'],
    [599, 'retry'],
  ])('takes HTTP %i as %s', async (status, kind) => {
    receiver.answerWith((response) => response.writeHead(status, { location: receiver.url }).end());
    expect(await sendWith({})).toMatchObject({ kind });
    expect(receiver.requests).toHaveLength(1);
  });

  it('disables the channel on 410 and only on 410', async () => {
    receiver.answerWith((response) => response.writeHead(410).end());
    expect(await sendWith({})).toMatchObject({ kind: 'reject', disableChannel: true });
    receiver.answerWith((response) => response.writeHead(404).end());
    expect(await sendWith({})).not.toHaveProperty('disableChannel');
  });

  it.each([
    ['7', 7000],
    ['0', 0],
    ['Tue, 14 Nov 2023 22:15:20 GMT', 120_000],
    ['Tue, 14 Nov 2023 20:00:00 GMT', 0],
    ['999999999', 86_400_000],
  ])('waits as long as Retry-After: %s says', async (header, afterMs) => {
    receiver.answerWith((response) => response.writeHead(429, { 'retry-after': header }).end());
    expect(await sendWith({}, () => 1_700_000_000_000)).toEqual({ kind: 'retry', reason: 'HTTP 429', afterMs });
  });

  it.each(['soon', '-1', '1.5', ''])('ignores a Retry-After of "%s"', async (header) => {
    receiver.answerWith((response) => response.writeHead(503, { 'retry-after': header }).end());
    expect(await sendWith({})).toEqual({ kind: 'retry', reason: 'HTTP 503' });
  });

  it('takes the status of a receiver whose body never ends, once it has read 64 KiB of it', async () => {
    receiver.answerWith((response) => {
      response.writeHead(200);
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', pour);
      pour();
    });
    expect(await sendWith({})).toMatchObject({ kind: 'sent' });
  });

  it('refuses a private address without a connection', async () => {
    const closed = openSafeFetch({ guard: createAddressGuard(), resolve: systemResolve });
    const outcome = await openedChannel(configFor(receiver.url), closed).send(
      sampleNotification(),
      new AbortController().signal,
    );
    await closed.close();
    expect(outcome).toEqual({ kind: 'reject', reason: expect.stringContaining('127.0.0.1 is not a public address') });
    expect(receiver.connections()).toBe(0);
  });
});

describe('decodeWebhookSecret', () => {
  it.each([
    ['', 'empty'],
    ['whsec_', 'without a key'],
    ['c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0', 'without its prefix'],
    [`whsec_${Buffer.alloc(23).toString('base64')}`, 'too short'],
    [`whsec_${Buffer.alloc(65).toString('base64')}`, 'too long'],
    ['whsec_not base64 at all, but long enough!', 'not base64'],
  ])('refuses "%s": %s', (text) => {
    expect(decodeWebhookSecret(text)).toBeUndefined();
  });

  it('accepts 24 to 64 bytes, padded or not', () => {
    expect(decodeWebhookSecret(`whsec_${Buffer.alloc(24, 7).toString('base64')}`)).toHaveLength(24);
    expect(decodeWebhookSecret(`whsec_${Buffer.alloc(64, 7).toString('base64')}`)).toHaveLength(64);
    expect(decodeWebhookSecret(`whsec_${Buffer.alloc(25, 7).toString('base64').replace(/=/g, '')}`)).toHaveLength(25);
  });
});
