import { customHeaderFault } from './custom-headers.js';
import { isMailAddress, parseMailbox } from './mail-address.js';
import { urlRefusal } from './safe-fetch.js';
import { parseSmtpUrl } from './smtp-server-url.js';
import { decodeWebhookSecret } from './webhook-signature.js';

/** EmailConfig sends to 1..50 plain addresses, through the platform's own mail server where `smtp_url` is absent. */
export interface EmailConfig {
  readonly kind: 'email';
  readonly smtp_url?: string;
  /** `alerts@example.org` or `Some Name <alerts@example.org>`. */
  readonly from?: string;
  readonly to: readonly string[];
}

/** SlackConfig posts to an incoming webhook, whose URL is the secret. */
export interface SlackConfig {
  readonly kind: 'slack';
  readonly url: string;
}

/** WebhookConfig calls a URL with a signed JSON body; `secret` is `whsec_` and base64 of 24..64 bytes. */
export interface WebhookConfig {
  readonly kind: 'webhook';
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly secret: string;
}

/** ChannelConfig is how one channel reaches people, secrets included: it is kept sealed. */
export type ChannelConfig = EmailConfig | SlackConfig | WebhookConfig;

/** ConfigFault is what is wrong with one field; `pointer` is a JSON pointer. Never quotes a value, which may be a secret. */
export interface ConfigFault {
  readonly pointer: string;
  readonly message: string;
}

/** ChannelConfigResult is a config that openChannel accepts, or all that is wrong with it. */
export type ChannelConfigResult =
  | { readonly ok: true; readonly config: ChannelConfig }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

/** parseChannelConfig reads a channel's configuration from JSON of unknown origin. Unknown fields are dropped. */
export function parseChannelConfig(input: unknown): ChannelConfigResult {
  const fields = isRecord(input) ? input : {};
  const faults: ConfigFault[] = [];
  const need = (pointer: string, message: string | undefined): void => {
    if (message !== undefined) faults.push({ pointer, message });
  };
  const done = (config: ChannelConfig): ChannelConfigResult =>
    faults.length === 0 ? { ok: true, config } : { ok: false, faults };

  if (fields['kind'] === 'email') {
    const { smtp_url, from, to } = fields;
    if (given(smtp_url)) need('/smtp_url', smtpUrlFault(smtp_url));
    if (given(from)) need('/from', typeof from === 'string' && parseMailbox(from) ? undefined : 'not one mail address');
    const recipients = recipientsOf(to, need);
    return done({ kind: 'email', to: recipients, ...optional('smtp_url', smtp_url), ...optional('from', from) });
  }
  if (fields['kind'] === 'slack') {
    need('/url', httpUrlFault(fields['url']));
    return done({ kind: 'slack', url: String(fields['url']) });
  }
  if (fields['kind'] === 'webhook') {
    const { url, method = 'POST', secret, headers } = fields;
    need('/url', httpUrlFault(url));
    need('/method', method === 'POST' || method === 'PUT' ? undefined : 'must be POST or PUT');
    need('/secret', typeof secret === 'string' && decodeWebhookSecret(secret) ? undefined : SECRET_FORM);
    const custom = headersOf(headers, need);
    return done({
      kind: 'webhook',
      url: String(url),
      method: method === 'PUT' ? 'PUT' : 'POST',
      secret: String(secret),
      ...(custom === undefined ? {} : { headers: custom }),
    });
  }
  return { ok: false, faults: [{ pointer: '/kind', message: 'must be email, slack or webhook' }] };
}

const SECRET_FORM = 'must be whsec_ and base64 of 24 to 64 bytes';
const MAX_RECIPIENTS = 50;
type Need = (pointer: string, message: string | undefined) => void;

function recipientsOf(to: unknown, need: Need): string[] {
  if (!Array.isArray(to) || to.length === 0 || to.length > MAX_RECIPIENTS) {
    need('/to', `must be a list of 1 to ${MAX_RECIPIENTS} mail addresses`);
    return [];
  }
  return to.flatMap((entry: unknown, index) => {
    if (typeof entry === 'string' && isMailAddress(entry)) return [entry];
    need(`/to/${index}`, 'not one plain mail address');
    return [];
  });
}

function headersOf(headers: unknown, need: Need): Record<string, string> | undefined {
  if (!given(headers)) return undefined;
  if (!isRecord(headers)) {
    need('/headers', 'must be an object of strings');
    return undefined;
  }
  const custom: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') need('/headers', 'must be an object of strings');
    else custom[name] = value;
  }
  need('/headers', customHeaderFault(custom));
  return custom;
}

function httpUrlFault(url: unknown): string | undefined {
  if (typeof url !== 'string' || url.length > 2000) return 'must be an http or https URL';
  return urlRefusal(url);
}

function smtpUrlFault(url: unknown): string | undefined {
  if (typeof url !== 'string') return 'not an SMTP URL';
  const result = parseSmtpUrl(url);
  return result.ok ? undefined : result.fault;
}

function optional<Name extends string>(name: Name, value: unknown): { [key in Name]?: string } {
  // The cast names the one key that was just written.
  return typeof value === 'string' ? ({ [name]: value } as { [key in Name]?: string }) : {};
}

function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
