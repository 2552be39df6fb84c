import type { IncomingHttpHeaders } from 'node:http';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { type Receiver, startHttpReceiver } from './http-receiver.js';

/** WebhookMessage is a call whose signature was right, with its JSON body, or one that was refused, with the reason. */
export type WebhookMessage =
  | { readonly outcome: 'verified'; readonly id: string; readonly body: unknown }
  | { readonly outcome: 'refused'; readonly reason: string };

/** WebhookReceiverOptions: `secret` is the base64 signing secret, with or without its `whsec_` prefix. */
export interface WebhookReceiverOptions {
  readonly secret: string;
  readonly onMessage: (message: WebhookMessage) => void;
}

/**
 * startWebhookReceiver verifies calls as Standard Webhooks says (HMAC-SHA256 over id, timestamp and body, five minutes of
 * tolerance): 204 to a right one, 401 to any other. Throws an Error on a secret that is not base64.
 */
export async function startWebhookReceiver({ secret, onMessage }: WebhookReceiverOptions): Promise<Receiver> {
  const webhook = new Webhook(secret);
  return startHttpReceiver('/webhook', (text, headers) => {
    const message = verify(webhook, text, headers);
    onMessage(message);
    return message.outcome === 'verified' ? { status: 204, text: '' } : { status: 401, text: message.reason };
  });
}

function verify(webhook: Webhook, text: string, headers: IncomingHttpHeaders): WebhookMessage {
  const named = (name: string): string => String(headers[name] ?? '');
  const id = named('webhook-id');
  const signed = {
    'webhook-id': id,
    'webhook-timestamp': named('webhook-timestamp'),
    'webhook-signature': named('webhook-signature'),
  };
  try {
    return { outcome: 'verified', id, body: webhook.verify(text, signed) };
  } catch (error) {
    if (error instanceof WebhookVerificationError) return { outcome: 'refused', reason: error.message };
    if (error instanceof SyntaxError) return { outcome: 'refused', reason: 'the body is not JSON' };
    throw error;
  }
}
