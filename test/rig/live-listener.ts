import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { type ClientOptions, type RawData, WebSocket } from 'ws';
import type { Json } from './client.js';
import { waitFor } from './wait-for.js';

/** LiveListener is a client of the live feed that keeps every frame it hears. */
export class LiveListener {
  readonly heard: Json[] = [];
  /** The code with which the server closed the connection; null while it is open. */
  closeCode: number | null = null;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data) => this.heard.push(JSON.parse(textOf(data))));
    socket.on('close', (code) => (this.closeCode = code));
    socket.on('error', () => undefined);
  }

  /** open connects for the test that runs now; it rejects where the server refuses. */
  static async open(url: string, options: ClientOptions & { readonly query?: string } = {}): Promise<LiveListener> {
    const { query = '', ...rest } = options;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/api/v1/live${query}`, rest);
    const listener = new LiveListener(socket);
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    return listener;
  }

  /** refusal is the HTTP status with which an upgrade is refused, 101 if it is not. */
  static refusal(url: string, options: ClientOptions & { readonly query?: string } = {}): Promise<number> {
    const { query = '', ...rest } = options;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/api/v1/live${query}`, rest);
    return new Promise((resolve) => {
      socket.on('error', () => undefined);
      socket.once('unexpected-response', (_request, response) => {
        resolve(response.statusCode ?? 0);
        socket.terminate();
      });
      socket.once('open', () => {
        resolve(101);
        socket.terminate();
      });
    });
  }

  /** follow subscribes, to everything unless told otherwise, and answers the snapshot. */
  async follow(request: object = {}): Promise<Json> {
    const before = this.heard.length;
    this.say({ type: 'subscribe', models: ['*'], kinds: ['inference', 'drift', 'alert'], ...request });
    return waitFor('the snapshot', () => this.heard.slice(before).find(({ type }) => type === 'snapshot'));
  }

  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** items are all that came in frames of a kind, in their order. */
  items(kind: 'inference' | 'drift' | 'alert'): Json[] {
    return this.heard.filter(({ type }) => type === kind).flatMap(({ items }) => items);
  }

  /** pause stops reading, as a client that hangs does. */
  pause(): void {
    this.socket.pause();
  }

  close(): void {
    this.socket.close();
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.from(data instanceof ArrayBuffer ? new Uint8Array(data) : data).toString('utf8');
}
