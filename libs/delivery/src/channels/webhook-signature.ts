import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** WebhookHeaders are the three headers of a signed message, see https://www.standardwebhooks.com. */
export type WebhookHeaders = Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>>;

/**
 * signWebhook signs `body` with HMAC-SHA256 over `id.timestamp.body` as Standard Webhooks 1.0 says. `nowMs` is the wall
 * clock; the header carries seconds. Throws on a secret that decodeWebhookSecret refuses.
 */
export function signWebhook(secret: string, id: string, body: string, nowMs: number): WebhookHeaders {
  const key = decodeWebhookSecret(secret);
  if (key === undefined) throw new Error('the signing secret is malformed');
  const timestamp = String(Math.floor(nowMs / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

/** newWebhookSecret writes 32 random bytes (from node:crypto's randomBytes) as a signing secret. */
export function newWebhookSecret(randomBytes: (size: number) => Uint8Array): string {
  return PREFIX + Buffer.from(randomBytes(32)).toString('base64');
}

/** decodeWebhookSecret returns the key of `whsec_` + base64 of 24 to 64 bytes, else undefined. */
export function decodeWebhookSecret(secret: string): Buffer | undefined {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : '';
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const key = Buffer.from(text, 'base64');
  const canonical = key.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  return canonical && key.length >= 24 && key.length <= 64 ? key : undefined;
}
