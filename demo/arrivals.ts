import { printable } from './receivers/printable.js';
import { startSlackReceiver } from './receivers/slack-receiver.js';
import { startSmtpReceiver } from './receivers/smtp-receiver.js';
import { startWebhookReceiver } from './receivers/webhook-receiver.js';

/** Arrival is one notification that reached a receiver. */
export interface Arrival {
  readonly channel: 'email' | 'slack' | 'webhook';
  readonly text: string;
  /** The event's id, where the message carries it. */
  readonly eventId: string | null;
}

/** Receivers are the three places that the demo's notifications go to. */
export interface Receivers {
  readonly smtpUrl: string;
  readonly slackUrl: string;
  readonly webhookUrl: string;
  close(): Promise<void>;
}

/** startReceivers starts a mail server, a Slack-compatible receiver and a webhook receiver that verifies signatures. */
export async function startReceivers(secret: string, onArrival: (arrival: Arrival) => void): Promise<Receivers> {
  const smtp = await startSmtpReceiver({
    onMessage: (mail) =>
      onArrival({
        channel: 'email',
        text: printable(`${mail.subject} -> ${mail.recipients.join(', ')}`),
        eventId: mail.messageId,
      }),
  });
  const slack = await startSlackReceiver({
    onMessage: ({ body }) => onArrival({ channel: 'slack', text: printable(fallbackOf(body)), eventId: null }),
  });
  const webhook = await startWebhookReceiver({
    secret,
    onMessage: (message) => {
      if (message.outcome === 'verified') {
        onArrival({
          channel: 'webhook',
          text: printable(`signature right: ${sentenceOf(message.body)}`),
          eventId: message.id,
        });
      } else onArrival({ channel: 'webhook', text: `REFUSED: ${message.reason}`, eventId: null });
    },
  });
  return {
    smtpUrl: smtp.url,
    slackUrl: slack.url,
    webhookUrl: webhook.url,
    close: async () => {
      await Promise.all([smtp.close(), slack.close(), webhook.close()]);
    },
  };
}

function fallbackOf(body: unknown): string {
  const attachments = read(body, 'attachments');
  const first: unknown = Array.isArray(attachments) ? attachments[0] : null;
  return textOf(read(first, 'fallback'));
}

function sentenceOf(body: unknown): string {
  return `${textOf(read(body, 'event'))}, ${textOf(read(body, 'severity'))}: ${textOf(read(body, 'message'))}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '(no text)';
}

function read(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : null;
}
