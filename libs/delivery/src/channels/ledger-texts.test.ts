import { describe, expect, it } from 'vitest';
import { freePort, openedChannel, openLoopbackFetch } from '../rig/http-channel-bench.js';
import { openHttpReceiver } from '../rig/http-receiver.js';
import { sampleNotification } from '../rig/notification-sample.js';
import type { ChannelConfig } from './channel-config.js';

describe('what the ledger says of a failed delivery', () => {
  const webhook = (url: string): ChannelConfig => ({
    kind: 'webhook',
    url,
    method: 'POST',
    secret: `whsec_${'A'.repeat(32)}`,
  });
  const send = async (config: ChannelConfig): Promise<unknown> => {
    const http = openLoopbackFetch();
    const channel = openedChannel(config, http);
    const outcome = await channel.send(sampleNotification(), new AbortController().signal);
    await channel.close();
    await http.close();
    return outcome;
  };

  it('is what to do where nothing listens, or nothing that speaks TLS', async () => {
    const receiver = await openHttpReceiver();
    const closed = `127.0.0.1:${await freePort()}`;
    for (const [url, reason] of [
      [`http://${closed}/`, 'ECONNREFUSED: nothing listens at that host and port'],
      [
        receiver.url.replace('http:', 'https:'),
        expect.stringMatching(/: the server does not speak TLS there: check the port/),
      ],
    ] as const) {
      expect(await send(webhook(url))).toEqual({ kind: 'retry', reason });
    }
    await receiver.close();
  });

  it.each([
    [401, /^HTTP 401: .*headers/],
    [403, /^HTTP 403: .*URL and headers/],
    [404, /^HTTP 404: .*URL/],
    [405, /^HTTP 405: .*method/],
    [307, /^HTTP 307: redirects are not followed; enter the address/],
    [422, /^HTTP 422$/],
  ])('is what to do about HTTP %i', async (status, reason) => {
    const receiver = await openHttpReceiver();
    receiver.answerWith((response) => response.writeHead(status).end());
    for (const config of [webhook(receiver.url), { kind: 'slack', url: receiver.url } as const])
      expect(await send(config)).toEqual({ kind: 'reject', reason: expect.stringMatching(reason) });
    await receiver.close();
  });

  it('is which setting lets a private address through', async () => {
    const smtp_url = `smtp://127.0.0.1:${await freePort()}`;
    const outcome = await send({ kind: 'email', smtp_url, to: ['a@example.org'] });
    expect(outcome).toEqual({ kind: 'reject', reason: expect.stringContaining('list it in TIDEMARK_ALLOWED_TARGETS') });
  });
});
