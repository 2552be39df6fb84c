import { renderSlack } from '../message/render-slack.js';
import { tellStory } from '../message/story.js';
import type { Notification } from '../notification.js';
import type { Channel, Outcome } from './channel.js';
import { loadSlack } from './client-libraries.js';
import { httpOutcome } from './http-outcome.js';
import type { SafeFetch, SafeFetchResult } from './safe-fetch.js';

/** SlackDeps are what a Slack channel needs; `wallMs` is the wall clock. */
export interface SlackDeps {
  readonly http: SafeFetch;
  readonly wallMs: () => number;
}

/** SlackChannel posts Block Kit messages to an incoming webhook. */
export class SlackChannel implements Channel {
  constructor(
    private readonly url: string,
    private readonly deps: SlackDeps,
  ) {}

  /**
   * One client a message: its custom fetch is where time limit, address guard and Retry-After come from, none of which
   * the client has, and what that fetch saw decides the outcome instead of the error that the client makes of it.
   */
  async send(notification: Notification, signal: AbortSignal): Promise<Outcome> {
    const seen: { result?: SafeFetchResult } = {};
    const { IncomingWebhook } = loadSlack();
    const client = new IncomingWebhook(this.url, {
      fetch: async (url, init = {}) => {
        const body = typeof init.body === 'string' ? init.body : '';
        const request = { url: String(url), method: 'POST', headers: init.headers ?? {}, body } as const;
        seen.result = await this.deps.http.fetch(request, signal);
        if (seen.result.kind !== 'response') throw new Error(seen.result.reason);
        return new Response(null, { status: Math.max(200, seen.result.response.status) });
      },
    });
    const { unfurl_links, unfurl_media, attachments } = renderSlack(tellStory(notification));
    try {
      await client.send({ unfurl_links, unfurl_media, attachments });
    } catch (error) {
      if (seen.result === undefined) throw new Error('the Slack client failed before it sent', { cause: error });
    }
    return seen.result === undefined
      ? { kind: 'retry', reason: 'nothing was sent' }
      : httpOutcome(seen.result, this.deps.wallMs());
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
