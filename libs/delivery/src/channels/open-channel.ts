import type { AddressGuard } from './address-guard.js';
import type { Channel } from './channel.js';
import type { ChannelConfig, EmailConfig } from './channel-config.js';
import { EmailChannel } from './email.js';
import type { Resolve } from './guarded-connect.js';
import { type Mailbox, parseMailbox } from './mail-address.js';
import type { SafeFetch } from './safe-fetch.js';
import { SlackChannel } from './slack.js';
import { parseSmtpUrl, type SmtpServer } from './smtp-server-url.js';
import { WebhookChannel } from './webhook.js';

/** ChannelDeps are what channels share. */
export interface ChannelDeps {
  /** For Slack and webhooks; not closed by the channels. */
  readonly http: SafeFetch;
  /** Judges mail servers that a channel names itself. */
  readonly guard: AddressGuard;
  readonly resolve: Resolve;
  /** The operator's mail server, used where a channel names none; trusted wherever it is. */
  readonly mail?: { readonly server: SmtpServer; readonly from?: Mailbox };
  /** The wall clock. */
  readonly wallMs: () => number;
  /** Limit of one SMTP dialogue; default 20,000. */
  readonly mailTimeoutMs?: number;
}

/** OpenChannelResult is an open channel, or why this configuration cannot work here. */
export type OpenChannelResult =
  | { readonly ok: true; readonly channel: Channel }
  | { readonly ok: false; readonly code: 'no_mail_server' | 'bad_config'; readonly reason: string };

/** openChannel opens the channel that a checked configuration describes. Connects to nothing yet; the caller closes it. */
export function openChannel(config: ChannelConfig, deps: ChannelDeps): OpenChannelResult {
  switch (config.kind) {
    case 'email':
      return openEmail(config, deps);
    case 'slack':
      return { ok: true, channel: new SlackChannel(config.url, deps) };
    case 'webhook':
      return { ok: true, channel: new WebhookChannel(config, deps) };
  }
}

function openEmail(config: EmailConfig, { mail, guard, resolve, mailTimeoutMs }: ChannelDeps): OpenChannelResult {
  const own = config.smtp_url === undefined ? undefined : parseSmtpUrl(config.smtp_url);
  if (own?.ok === false) return { ok: false, code: 'bad_config', reason: own.fault };
  const server = own?.server ?? mail?.server;
  if (server === undefined) {
    return { ok: false, code: 'no_mail_server', reason: 'no mail server is configured: set smtp_url here or SMTP_URL' };
  }
  const from = config.from === undefined ? mail?.from : parseMailbox(config.from);
  if (config.from !== undefined && from === undefined) {
    return { ok: false, code: 'bad_config', reason: 'from is not one mail address' };
  }
  const channel = new EmailChannel({
    server,
    from: from ?? { name: 'Tidemark', address: 'tidemark@localhost' },
    to: config.to,
    ...(own === undefined ? {} : { guard: { guard, resolve } }),
    ...(mailTimeoutMs === undefined ? {} : { timeoutMs: mailTimeoutMs }),
  });
  return { ok: true, channel };
}
