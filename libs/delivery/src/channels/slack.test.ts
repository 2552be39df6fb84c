import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openedChannel, openHttpBench, openLoopbackFetch } from '../rig/http-channel-bench.js';
import { type HttpReceiver, openHttpReceiver } from '../rig/http-receiver.js';
import { sampleNotification } from '../rig/notification-sample.js';
import { describeChannel } from './channel.contract.js';
import type { SafeFetch } from './safe-fetch.js';

describeChannel('SlackChannel', () => openHttpBench((url) => ({ kind: 'slack', url })));

describe('SlackChannel', () => {
  let receiver: HttpReceiver;
  let http: SafeFetch;
  const send = (changes = {}) =>
    openedChannel({ kind: 'slack', url: receiver.url }, http).send(
      sampleNotification(changes),
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

  it('posts JSON with one coloured attachment', async () => {
    await send();
    const [request] = receiver.requests;
    expect(request?.method).toBe('POST');
    expect(request?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ attachments: [{ color: '#d32f2f' }] });
  });

  it('waits as long as a 429 says', async () => {
    receiver.answerWith((response) => response.writeHead(429, { 'retry-after': '30' }).end());
    expect(await send()).toEqual({ kind: 'retry', reason: 'HTTP 429', afterMs: 30_000 });
  });

  it('disables the channel when Slack says that it is gone', async () => {
    receiver.answerWith((response) => response.writeHead(410).end('channel_is_archived'));
    expect(await send()).toMatchObject({ kind: 'reject', disableChannel: true });
  });

  it('does not follow a redirect', async () => {
    receiver.answerWith((response) => response.writeHead(302, { location: receiver.url }).end());
    expect(await send()).toMatchObject({ kind: 'reject' });
    expect(receiver.requests).toHaveLength(1);
  });

  it.each([400, 403, 404])('rejects on %i', async (status) => {
    receiver.answerWith((response) => response.writeHead(status).end('invalid_token'));
    expect(await send()).toMatchObject({ kind: 'reject', reason: expect.stringContaining(`HTTP ${status}`) });
  });

  it('never names its URL in an outcome, since the URL is the secret', async () => {
    await receiver.close();
    const outcome = await send();
    expect(JSON.stringify(outcome)).not.toContain('hook');
  });
});
