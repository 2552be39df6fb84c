import { setTimeout as sleep } from 'node:timers/promises';
import { postJson } from './models.js';
import { type Spread, spreadOf } from './percentiles.js';
import { WebhookReceiver } from './webhook-receiver.js';

/** BreachOptions say where metrics go, and how many of them breach. */
export interface BreachOptions {
  readonly url: string;
  readonly total: number;
  /** How long to watch for a webhook that comes twice, when all are there. */
  readonly watchMs: number;
  readonly say: (line: string) => void;
}

/** BreachTimes are times in ms from sending a metric that breaches: to its webhook, and to the answer. */
export interface BreachTimes {
  readonly webhook: Spread;
  /** first is of the first breaches after the start, while code is compiled; they are in no other spread. */
  readonly first: Spread;
  readonly answer: Spread;
  /** arrived is the share of the breaches that a webhook told of. */
  readonly arrived: number;
  readonly doubled: number;
}

const EVERY_MS = 50;
/** How many breaches a server that has just started is given before they count: three seconds, in which its code is compiled. */
const FIRST = 60;
/** A channel takes at most 60 notifications a minute before it holds some back. */
const MODELS_A_CHANNEL = 40;
const PATIENCE_MS = 15_000;

/** timeBreaches sends metrics that breach, each of a model of its own, and waits for their webhooks. */
export async function timeBreaches(options: BreachOptions): Promise<BreachTimes> {
  const receiver = await WebhookReceiver.listen();
  try {
    return await breach(options, receiver);
  } finally {
    receiver.close();
  }
}

async function breach({ url, total, watchMs, say }: BreachOptions, receiver: WebhookReceiver): Promise<BreachTimes> {
  say(`registering ${total} models and their channels`);
  await register(url, total, receiver);
  say(`${total} breaches, one each ${EVERY_MS} ms`);
  const sentMs = new Map<string, number>();
  const answerMs: number[] = [];
  const startMs = performance.now();
  const posts: Promise<unknown>[] = [];
  for (let i = 0; i < total; i++) {
    await sleep(Math.max(0, startMs + i * EVERY_MS - performance.now()));
    const begin = performance.now();
    sentMs.set(modelId(i), begin);
    const metric = { model_id: modelId(i), model_type: 'llm', request_id: `r-${i}`, latency: 1500 };
    const post = postJson(`${url}/api/v1/metrics/inference`, metric);
    posts.push(
      post.then(() => {
        if (i >= FIRST) answerMs.push(performance.now() - begin);
      }),
    );
    // Waited for below; one that fails before must not end the program.
    posts[i]?.catch(() => undefined);
  }
  await Promise.all(posts);
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (receiver.arrivals.size < total && performance.now() < deadlineMs) await sleep(20);
  await sleep(watchMs);

  const first = new Set(Array.from({ length: FIRST }, (_, i) => modelId(i)));
  const timesOf = (isFirst: boolean): number[] =>
    [...receiver.arrivals]
      .filter(([model]) => first.has(model) === isFirst)
      .map(([model, ms]) => ms - (sentMs.get(model) ?? NaN));
  return {
    webhook: spreadOf(timesOf(false)),
    first: spreadOf(timesOf(true)),
    answer: spreadOf(answerMs),
    arrived: receiver.arrivals.size / total,
    doubled: receiver.doubled,
  };
}

async function register(url: string, total: number, receiver: WebhookReceiver): Promise<void> {
  let channel = '';
  for (let i = 0; i < total; i++) {
    if (i % MODELS_A_CHANNEL === 0) channel = await addChannel(url, receiver, i);
    await postJson(`${url}/api/v1/models`, {
      id: modelId(i),
      name: modelId(i),
      model_type: 'llm',
      version: '1',
      environment: 'prod',
      channels: [channel],
    });
  }
}

async function addChannel(url: string, receiver: WebhookReceiver, number: number): Promise<string> {
  const channel = await postJson(`${url}/api/v1/channels`, {
    name: `bench ${number}`,
    kind: 'webhook',
    url: receiver.url,
  });
  if (typeof channel !== 'object' || channel === null || !('id' in channel)) throw new Error('the channel has no id');
  return String(channel.id);
}

function modelId(index: number): string {
  return `fresh-${String(index).padStart(4, '0')}`;
}
