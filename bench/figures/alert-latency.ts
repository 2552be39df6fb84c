import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import type { Figure, Reading } from '../figure.js';
import { postJson } from '../models.js';
import { spreadOf } from '../percentiles.js';
import type { ServerProcess } from '../server-process.js';

const EVERY_MS = 50;
/** A channel takes at most 60 notifications a minute before it holds some back. */
const MODELS_A_CHANNEL = 40;
const PATIENCE_MS = 15_000;

/** alertLatencyFigure is the time from sending a metric that breaches to when a webhook has the news. */
export const alertLatencyFigure: Figure = {
  name: 'alert',
  title: 'from a metric to its webhook',
  measure: async (bench) => {
    const receiver = await Receiver.listen();
    try {
      return await bench.withApi((api) => breach(bench, api, receiver), {
        env: { TIDEMARK_ALLOWED_TARGETS: '127.0.0.1' },
      });
    } finally {
      receiver.close();
    }
  },
};

async function breach(bench: Bench, api: ServerProcess, receiver: Receiver): Promise<Reading[]> {
  const total = bench.quick ? 100 : 400;
  bench.say(`alert: registering ${total} models and their channels`);
  let channel = '';
  for (let i = 0; i < total; i++) {
    if (i % MODELS_A_CHANNEL === 0) channel = await addChannel(api, receiver, i);
    await postJson(`${api.url}/api/v1/models`, {
      id: modelId(i),
      name: modelId(i),
      model_type: 'llm',
      version: '1',
      environment: 'prod',
      channels: [channel],
    });
  }
  bench.say(`alert: ${total} breaches, one each ${EVERY_MS} ms`);
  const sentMs = new Map<string, number>();
  const ackMs: number[] = [];
  const startMs = performance.now();
  const posts: Promise<unknown>[] = [];
  for (let i = 0; i < total; i++) {
    await sleep(Math.max(0, startMs + i * EVERY_MS - performance.now()));
    const begin = performance.now();
    sentMs.set(modelId(i), begin);
    const metric = { model_id: modelId(i), model_type: 'llm', request_id: `r-${i}`, latency: 1500 };
    posts.push(
      postJson(`${api.url}/api/v1/metrics/inference`, metric).then(() => ackMs.push(performance.now() - begin)),
    );
  }
  await Promise.all(posts);
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (receiver.arrivals.size < total && performance.now() < deadlineMs) await sleep(20);

  const times = [...receiver.arrivals].map(([model, ms]) => ms - (sentMs.get(model) ?? NaN));
  const spread = spreadOf(times);
  return [
    { id: 'alert.p50_ms', name: 'metric to webhook, p50', value: spread.p50, unit: 'ms' },
    {
      id: 'alert.p99_ms',
      name: '  p99',
      value: spread.p99,
      unit: 'ms',
      target: { atMost: 50 },
      detail: { ...spread, ack: spreadOf(ackMs) },
    },
    {
      id: 'alert.arrived',
      name: '  webhooks that arrived, of all',
      value: receiver.arrivals.size / total,
      unit: '',
      target: { atLeast: 1 },
    },
    {
      id: 'alert.doubled',
      name: '  webhooks that came twice',
      value: receiver.doubled,
      unit: '',
      target: { atMost: 0 },
    },
  ];
}

/** Receiver takes webhooks and notes when the whole body of each was there. */
class Receiver {
  readonly arrivals = new Map<string, number>();
  doubled = 0;

  private constructor(private readonly server: Server) {}

  static async listen(): Promise<Receiver> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        receiver.#take(JSON.parse(body), performance.now());
        response.writeHead(204).end();
      });
    });
    const receiver = new Receiver(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the receiver does not listen');
    return `http://127.0.0.1:${address.port}/`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  #take(notice: unknown, nowMs: number): void {
    const isNotice = typeof notice === 'object' && notice !== null && 'model_id' in notice && 'event' in notice;
    if (!isNotice || notice.event !== 'fired' || typeof notice.model_id !== 'string') return;
    if (this.arrivals.has(notice.model_id)) this.doubled++;
    else this.arrivals.set(notice.model_id, nowMs);
  }
}

async function addChannel(api: ServerProcess, receiver: Receiver, number: number): Promise<string> {
  const channel = await postJson(`${api.url}/api/v1/channels`, {
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
