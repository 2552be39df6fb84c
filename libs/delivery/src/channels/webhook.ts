import type { Notification } from '../notification.js';
import type { Channel, Outcome } from './channel.js';
import type { WebhookConfig } from './channel-config.js';
import { httpOutcome } from './http-outcome.js';
import type { SafeFetch } from './safe-fetch.js';
import { signWebhook } from './webhook-signature.js';

/** WebhookDeps are what a webhook needs; `wallMs` is the wall clock. */
export interface WebhookDeps {
  readonly http: SafeFetch;
  readonly wallMs: () => number;
}

/** WebhookChannel sends the notification as JSON, signed as Standard Webhooks says, with `event_id` as the webhook-id. */
export class WebhookChannel implements Channel {
  constructor(
    private readonly config: WebhookConfig,
    private readonly deps: WebhookDeps,
  ) {}

  async send(notification: Notification, signal: AbortSignal): Promise<Outcome> {
    const { url, method, headers, secret } = this.config;
    const body = JSON.stringify(notification);
    const signed = signWebhook(secret, notification.event_id, body, this.deps.wallMs());
    const request = {
      url,
      method,
      body,
      // Later ones win: what the user set may replace the user agent and nothing else.
      headers: { 'user-agent': 'tidemark', ...lowerCased(headers), 'content-type': 'application/json', ...signed },
    };
    return httpOutcome(await this.deps.http.fetch(request, signal), this.deps.wallMs());
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
