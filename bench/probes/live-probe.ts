import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { HttpConnection } from '../load/http-connection.js';
import { spreadOf } from '../percentiles.js';

interface Task {
  readonly port: number;
  readonly clients: number;
  readonly itemsPerS: number;
  readonly seconds: number;
}

const TAG = Buffer.from('"request_id":"live-', 'latin1');
const CONNECTS_AT_ONCE = 50;
const PATIENCE_MS = 10_000;
const SUBSCRIBE = JSON.stringify({ type: 'subscribe', models: ['*'], kinds: ['inference'] });

/** The process in which the watchers are, and the sender too, so that one clock times both ends. */
const sockets: WebSocket[] = [];
let sentMs: number[] = [];
let latenciesMs: number[] = [];
let firstId = 0;
let frames = 0;
let dropped = 0;

process.on('disconnect', () => process.exit());
process.on('message', (message: unknown) => {
  if (!isTask(message)) throw new Error('the message is not a task');
  probe(message).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ fault: String(error) }),
  );
});

/** probe connects the watchers the first time, sends items at the rate, and waits until every watcher has all of them. */
async function probe({ port, clients, itemsPerS, seconds }: Task) {
  while (sockets.length < clients) {
    const count = Math.min(CONNECTS_AT_ONCE, clients - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: count }, () => watch(port)))));
  }
  firstId += sentMs.length;
  sentMs = [];
  latenciesMs = [];
  frames = 0;
  dropped = 0;
  const total = itemsPerS * seconds;
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  await send(port, total, 1000 / itemsPerS);
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (latenciesMs.length < total * clients && performance.now() < deadlineMs) await sleep(20);
  lag.disable();
  return {
    spread: spreadOf(latenciesMs),
    delivered: latenciesMs.length / (total * clients),
    frames,
    dropped,
    lagP99Ms: lag.percentile(99) / 1e6,
  };
}

async function watch(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/live`, { perMessageDeflate: false });
  socket.on('message', (data) => take(data));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const hasSnapshot = new Promise<void>((resolve, reject) => {
    socket.once('message', () => resolve());
    socket.once('close', (code) => reject(new Error(`the server closed a live connection with ${code}`)));
  });
  socket.send(SUBSCRIBE);
  await hasSnapshot;
  return socket;
}

/** Frames are not parsed as JSON: a thousand watchers in one process would then measure that. */
function take(data: WebSocket.RawData): void {
  const nowMs = performance.now();
  if (!Buffer.isBuffer(data)) return;
  frames++;
  if (data.indexOf('"lagged"') >= 0) dropped++;
  for (let at = data.indexOf(TAG); at >= 0; at = data.indexOf(TAG, at + TAG.length)) {
    const from = at + TAG.length;
    const since = sentMs[Number(data.toString('latin1', from, from + 8)) - firstId];
    if (since !== undefined) latenciesMs.push(nowMs - since);
  }
}

async function send(port: number, total: number, everyMs: number): Promise<void> {
  const connections = await Promise.all(Array.from({ length: 8 }, () => HttpConnection.open(port, fail)));
  const idle = [...connections];
  const startMs = performance.now();
  for (let i = 0; i < total; i++) {
    await sleep(Math.max(0, startMs + i * everyMs - performance.now()));
    // In turn: a connection that asks nothing for ten seconds is closed, as any slow client's.
    let connection = idle.shift();
    while (!connection) {
      await sleep(1);
      connection = idle.shift();
    }
    const free = connection;
    sentMs.push(performance.now());
    free.send(requestOf(firstId + i), (status) => {
      if (status !== 201) fail(new Error(`a metric was answered ${status}`));
      idle.push(free);
    });
  }
  while (idle.length < connections.length) await sleep(5);
  for (const connection of connections) connection.close();
}

function requestOf(id: number): Buffer {
  const body = JSON.stringify({
    model_id: `model-${id % 20}`,
    model_type: 'llm',
    request_id: `live-${String(id).padStart(8, '0')}`,
    latency: 45.5,
    throughput: 30.2,
    error_rate: 0.01,
    resource_usage: { gpu_memory: 0.5, cpu_usage: 0.4, memory_usage: 0.3 },
    tags: { region: 'eu-west', version: '1.2' },
  });
  const head = `POST /api/v1/metrics/inference HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`;
  return Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
}

function fail(error: Error): void {
  process.send?.({ fault: error.message });
}

function isTask(value: unknown): value is Task {
  return typeof value === 'object' && value !== null && 'port' in value && 'clients' in value && 'seconds' in value;
}
