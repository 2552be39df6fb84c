import { type ClientOptions, type RawData, WebSocket } from 'ws';
import type { LiveAnswer } from '@tidemark/types';

const DEADLINE_MS = 15_000;

/** LiveListener is a client of the live feed that remembers all it hears. */
export class LiveListener {
  readonly heard: LiveAnswer[] = [];
  /** How many points were heard in deltas. */
  pointsHeard = 0;
  closed: { readonly code: number; readonly reason: string } | null = null;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: RawData) => {
      const answer = JSON.parse((data as Buffer).toString()) as LiveAnswer;
      this.heard.push(answer);
      if (answer.type === 'inference') this.pointsHeard += answer.items.length;
    });
    socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
    socket.on('error', () => undefined);
  }

  /** open connects, or throws what the server answered instead: `401 unauthenticated`, say. */
  static async open(url: string, options: ClientOptions = {}): Promise<LiveListener> {
    const socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    const listener = new LiveListener(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => {
          const { code } = JSON.parse(body) as { code: string };
          reject(new Error(`${response.statusCode ?? 0} ${code}`));
          socket.terminate();
        });
      });
    });
    return listener;
  }

  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** follow subscribes and answers the snapshot. */
  async follow(parts: { models?: string[]; kinds?: string[]; since_seq?: number } = {}) {
    const before = this.heard.length;
    this.say({ type: 'subscribe', models: ['*'], kinds: ['inference', 'drift', 'alert'], ...parts });
    return this.hears('snapshot', before);
  }

  /** hears waits for the first message of a type, from the given place on. */
  hears<T extends LiveAnswer['type']>(type: T, from = 0): Promise<Extract<LiveAnswer, { type: T }>> {
    return this.until(() => {
      const found = this.heard.slice(from).find((answer) => answer.type === type);
      return found as Extract<LiveAnswer, { type: T }> | undefined;
    }, `a message "${type}"`);
  }

  /** pong waits until the server has handled all that was said so far. */
  async pong(): Promise<void> {
    const before = this.heard.length;
    this.say({ type: 'ping' });
    await this.hears('pong', before);
  }

  /** until waits for a condition to hold, with a deadline. */
  async until<T>(condition: () => T | undefined | null | false, what: string): Promise<T> {
    const deadlineMs = performance.now() + DEADLINE_MS;
    for (;;) {
      const found = condition();
      if (found !== undefined && found !== null && found !== false) return found;
      if (performance.now() > deadlineMs) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const last = JSON.stringify(this.heard.slice(-3)).slice(0, 500);
    throw new Error(`no ${what} in ${this.heard.length} messages, last ${last}, closed ${JSON.stringify(this.closed)}`);
  }

  /** requestIds are the points heard in deltas, in order. */
  requestIds(): string[] {
    return this.heard.flatMap((answer) =>
      answer.type === 'inference' ? answer.items.map((item) => item.request_id) : [],
    );
  }

  /** lost is how many items the server said it left out. */
  lost(): number {
    return this.heard.reduce((sum, answer) => sum + (answer.type === 'lagged' ? answer.dropped : 0), 0);
  }

  close(): void {
    this.socket.terminate();
  }
}
