import type { Channels } from '@tidemark/state';
import { loadOrCreateKey } from '../secrets/sealing-key.js';
import { type AllowRule, createAddressGuard } from './address-guard.js';
import { ChannelDirectory } from './channel-directory.js';
import { systemResolve } from './guarded-connect.js';
import type { Mailbox } from './mail-address.js';
import { openSafeFetch } from './safe-fetch.js';
import type { SmtpServer } from './smtp-server-url.js';

/** ChannelSettings are what an operator sets for all channels of a program. */
export interface ChannelSettings {
  readonly allowedTargets: readonly AllowRule[];
  /** Seals the secrets of channels; when null, a key in `keyFile`. */
  readonly secret: string | null;
  readonly keyFile: string;
  readonly smtp: SmtpServer | null;
  readonly emailFrom: Mailbox;
}

/** OpenChannels are the channels of a program, and the key that seals their secrets. */
export interface OpenChannels {
  readonly directory: ChannelDirectory;
  readonly key: Uint8Array;
  close(): Promise<void>;
}

/** openChannels makes channels of the database ready to be found and sent through. Rejects where there is no usable key. */
export async function openChannels(
  channels: Pick<Channels, 'get' | 'disable'>,
  { allowedTargets, secret, keyFile, smtp, emailFrom }: ChannelSettings,
  wallMs: () => number,
): Promise<OpenChannels> {
  const sealing = await loadOrCreateKey({ ...(secret === null ? {} : { secret }), file: keyFile });
  if (!sealing.ok) throw new Error(`TIDEMARK_SECRET: ${sealing.reason}`);
  const guard = createAddressGuard(allowedTargets);
  const http = openSafeFetch({ guard, resolve: systemResolve });
  const mail = smtp ? { mail: { server: smtp, from: emailFrom } } : {};
  const deps = { http, guard, resolve: systemResolve, wallMs, ...mail };
  const directory = new ChannelDirectory({ channels, key: sealing.key, deps });
  return {
    directory,
    key: sealing.key,
    async close() {
      await directory.close();
      await http.close();
    },
  };
}
