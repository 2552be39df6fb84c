import { createAddressGuard, parseAllowList } from '../channels/address-guard.js';
import type { ChannelBench } from '../channels/channel.contract.js';
import type { ChannelConfig } from '../channels/channel-config.js';
import type { Channel } from '../channels/channel.js';
import { systemResolve } from '../channels/guarded-connect.js';
import { openChannel } from '../channels/open-channel.js';
import { openSafeFetch, type SafeFetch } from '../channels/safe-fetch.js';
import { type Answer, type HttpReceiver, openHttpReceiver } from './http-receiver.js';

/** openLoopbackFetch is a SafeFetch that may reach this machine. */
export function openLoopbackFetch(timeoutMs = 15_000): SafeFetch {
  const allowed = parseAllowList(['127.0.0.0/8']);
  if (!allowed.ok) throw new Error('the allow-list is misspelt');
  return openSafeFetch({ guard: createAddressGuard(allowed.rules), resolve: systemResolve, timeoutMs });
}

/** openedChannel opens a channel over `http`, and throws where the configuration is refused. */
export function openedChannel(config: ChannelConfig, http: SafeFetch, wallMs: () => number = Date.now): Channel {
  const opened = openChannel(config, { http, wallMs, guard: createAddressGuard(), resolve: systemResolve });
  if (!opened.ok) throw new Error(opened.reason);
  return opened.channel;
}

/** freePort is a port where nothing listens (any more). */
export async function freePort(): Promise<number> {
  const receiver = await openHttpReceiver();
  await receiver.close();
  return receiver.port;
}

const MOODS: Readonly<Record<Parameters<ChannelBench['setMood']>[0], Answer>> = {
  accept: (response) => response.writeHead(200).end('ok'),
  'refuse for now': (response) => response.writeHead(503).end(),
  'refuse for good': (response) => response.writeHead(400).end('invalid_payload'),
  hang: () => undefined,
  reset: (response) => response.socket?.resetAndDestroy(),
};

/** openHttpBench runs a channel that speaks HTTP against a real receiver. */
export async function openHttpBench(
  configOf: (url: string) => ChannelConfig,
): Promise<ChannelBench & { readonly receiver: HttpReceiver }> {
  const receiver = await openHttpReceiver();
  const http = openLoopbackFetch();
  const hastyHttp = openLoopbackFetch(300);
  return {
    receiver,
    channel: openedChannel(configOf(receiver.url), http),
    hasty: openedChannel(configOf(receiver.url), hastyHttp),
    unreachable: openedChannel(configOf(`http://127.0.0.1:${await freePort()}/`), http),
    setMood: (mood) => receiver.answerWith(MOODS[mood]),
    received: () => receiver.requests.map(({ body }) => body),
    connections: receiver.connections,
    close: async () => {
      await http.close();
      await hastyHttp.close();
      await receiver.close();
    },
  };
}
