import { onTestFinished } from 'vitest';
import { Webhook } from 'standardwebhooks';
import type { Client, Json } from '../client.js';
import { HttpSink } from './http-sink.js';
import { MailSink } from './mail-sink.js';

/** SIGNING_SECRET is the secret of the webhook channels that tests make. */
export const SIGNING_SECRET = `whsec_${Buffer.from('thirty-two bytes for a signature').toString('base64')}`;

/** ThreeReceivers are the other sides of one channel of each kind. */
export class ThreeReceivers {
  private constructor(
    readonly mail: MailSink,
    readonly slack: HttpSink,
    readonly webhook: HttpSink,
  ) {}

  /** open starts the three for the test that runs now. */
  static async open(): Promise<ThreeReceivers> {
    const [mail, slack, webhook] = await Promise.all([MailSink.open(), HttpSink.open(), HttpSink.open()]);
    onTestFinished(async () => {
      await Promise.all([mail.close(), slack.close(), webhook.close()]);
    });
    return new ThreeReceivers(mail, slack, webhook);
  }

  /** connect makes a channel to each and answers their ids. */
  async connect(api: Client): Promise<{ readonly email: string; readonly slack: string; readonly webhook: string }> {
    const make = async (channel: object): Promise<string> => (await api.must(api.post('channels', channel))).id;
    return {
      email: await make({ name: 'mail', kind: 'email', to: ['on-call@example.test'] }),
      slack: await make({ name: 'slack', kind: 'slack', url: `${this.slack.url}/services/T000/B000/path` }),
      webhook: await make({ name: 'hook', kind: 'webhook', url: `${this.webhook.url}/hook`, secret: SIGNING_SECRET }),
    };
  }

  /** calls are the webhook's payloads; it throws if a signature is wrong or an id is not that of its event. */
  calls(): Json[] {
    return this.webhook.requests.map(({ headers, body }) => verified(headers, body));
  }

  /** slackTitles are the first lines of the messages that Slack was sent. */
  slackTitles(): string[] {
    return this.slack.requests.map(({ body }) => JSON.parse(body).attachments[0].fallback);
  }

  /** subjects are those of the mails. */
  subjects(): string[] {
    return this.mail.mails.map(({ parsed }) => parsed.subject ?? '');
  }
}

/** verified checks a call as any receiver that follows Standard Webhooks does, and answers its payload. */
export function verified(headers: NodeJS.Dict<string | string[]>, body: string): Json {
  const named = (name: string): string => String(headers[name] ?? '');
  const id = named('webhook-id');
  const signed = {
    'webhook-id': id,
    'webhook-timestamp': named('webhook-timestamp'),
    'webhook-signature': named('webhook-signature'),
  };
  new Webhook(SIGNING_SECRET).verify(body, signed);
  const payload = JSON.parse(body);
  if (payload.event_id !== id) throw new Error(`webhook-id is ${id}, the event ${payload.event_id}`);
  return payload;
}
