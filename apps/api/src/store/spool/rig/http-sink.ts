import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { StoreFault, type StoreFaultKind } from '../../store-fault.js';
import type { AbortableSink } from '../lane.js';

/** HttpSink posts lines to InfluxDB's /write, or to something that behaves like it; it keeps its connections. */
export class HttpSink implements AbortableSink {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(private readonly url: string) {}

  async writeLines(lines: Uint8Array, signal?: AbortSignal): Promise<void> {
    const { status, after, said } = await this.post(lines, signal);
    if (status === 204) return;
    throw new StoreFault(kindOf(status), said, { retryAfterMs: after === undefined ? null : Number(after) * 1000 });
  }

  private async post(body: Uint8Array, signal?: AbortSignal) {
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const options = { method: 'POST', agent: this.agent, signal };
        request(`${this.url}/write?db=tidemark`, options, resolve).on('error', reject).end(body);
      });
      return { status: answer.statusCode ?? 0, after: answer.headers['retry-after'], said: await text(answer) };
    } catch (cause) {
      throw new StoreFault('unreachable', 'no answer', { cause });
    }
  }
}

function kindOf(status: number): StoreFaultKind {
  switch (status) {
    case 400:
      return 'bad_points';
    case 401:
      return 'unauthorized';
    case 413:
      return 'too_large';
    case 429:
    case 503:
      return 'overloaded';
    default:
      return 'refused';
  }
}
