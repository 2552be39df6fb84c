import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { openHttpReceiver } from '../rig/http-receiver.js';
import { sampleNotification } from '../rig/notification-sample.js';
import { openSmtpReceiver } from '../rig/smtp-receiver.js';
import type { ChannelConfig } from './channel-config.js';

/**
 * Sends twice in a process of its own, where the built package is what runs: first with no file descriptor left, then with
 * all of them back. Answers both outcomes.
 */
async function sendStarvedThenFed(config: ChannelConfig): Promise<unknown[]> {
  const built = new URL('../../dist/channels/', import.meta.url).href;
  const script = `
    import { closeSync, openSync } from 'node:fs';
    import { createAddressGuard, parseAllowList } from '${built}address-guard.js';
    import { systemResolve } from '${built}guarded-connect.js';
    import { openChannel } from '${built}open-channel.js';
    import { openSafeFetch } from '${built}safe-fetch.js';
    const guard = createAddressGuard(parseAllowList(['127.0.0.0/8']).rules);
    const http = openSafeFetch({ guard, resolve: systemResolve });
    const { channel } = openChannel(${JSON.stringify(config)}, { http, guard, resolve: systemResolve, wallMs: Date.now });
    const send = () => channel.send(${JSON.stringify(sampleNotification())}, new AbortController().signal)
      .catch((error) => ({ kind: 'threw', code: error.code }));
    const held = [];
    try { for (;;) held.push(openSync('/dev/null', 'r')); } catch {}
    const starved = await send();
    for (const descriptor of held) closeSync(descriptor);
    console.log(JSON.stringify([starved, await send()]));
    await channel.close();
    await http.close();
  `;
  const limited = ['-c', 'ulimit -n 512; exec "$0" --input-type=module --eval "$1"', process.execPath, script];
  const child = spawn('sh', limited, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000 });
  let text = '';
  for await (const part of child.stdout) text += String(part);
  const answer: unknown = JSON.parse(text);
  return Array.isArray(answer) ? answer : [];
}

describe('a client library that cannot be loaded for lack of file descriptors', () => {
  it('breaks no channel for longer than that lasts', { timeout: 60_000 }, async () => {
    const receiver = await openHttpReceiver();
    const mail = await openSmtpReceiver();
    const webhook = { kind: 'webhook', url: receiver.url, method: 'POST', secret: `whsec_${'A'.repeat(32)}` } as const;
    const email = { kind: 'email', smtp_url: `smtp://127.0.0.1:${mail.port}?tls=off`, to: ['a@example.org'] } as const;
    for (const config of [webhook, email, { kind: 'slack', url: receiver.url }] as const) {
      const [starved, fed] = await sendStarvedThenFed(config);
      expect(starved).not.toMatchObject({ kind: 'sent' });
      expect(starved).not.toMatchObject({ kind: 'reject' });
      expect(fed).toMatchObject({ kind: 'sent' });
    }
    expect([receiver.requests.length, mail.mails.length]).toEqual([2, 1]);
    await receiver.close();
    await mail.close();
  });
});
