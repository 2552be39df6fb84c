import { type Receiver, startHttpReceiver } from './http-receiver.js';

/** SlackMessage is what an incoming webhook of Slack was sent: the fallback text, and the whole JSON body. */
export interface SlackMessage {
  readonly text: string;
  readonly body: unknown;
}

/**
 * startSlackReceiver plays Slack's incoming webhooks: it answers 200 "ok" to a JSON object, after handing it on, and 400
 * "invalid_payload" to anything else.
 */
export function startSlackReceiver({ onMessage }: { onMessage: (message: SlackMessage) => void }): Promise<Receiver> {
  return startHttpReceiver('/services/T000/B000/demo', (text) => {
    const body = parseObject(text);
    if (body === undefined) return { status: 400, text: 'invalid_payload' };
    onMessage({ text: typeof body.text === 'string' ? body.text : '', body });
    return { status: 200, text: 'ok' };
  });
}

function parseObject(text: string): { readonly text?: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
