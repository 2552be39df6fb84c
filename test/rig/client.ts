import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** Json is whatever a test reads back; the expectation that follows checks it. */
export type Json = ReturnType<typeof JSON.parse>;

/** Answer is an HTTP answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The text as JSON, undefined where it is none. */
  readonly json: Json;
}

/** Asked are the parts of a request that not every one has; `body` is sent as it is when it is text or bytes, else as JSON. */
export interface Asked {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** ClientOptions say who asks; `onAnswer` hears of every answer. */
export interface ClientOptions {
  /** Where the platform is now: it may move when it is restarted. */
  readonly url: () => string;
  readonly key?: string;
  readonly onAnswer?: (answer: Answer) => void;
}

const TIMEOUT_MS = 30_000;

/** Client asks a platform over HTTP. Paths are below /api/v1/ unless they begin with a slash. */
export class Client {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 200 });

  constructor(private readonly options: ClientOptions) {}

  get(path: string, asked: Asked = {}): Promise<Answer> {
    return this.ask('GET', path, asked);
  }

  post(path: string, body?: unknown, asked: Asked = {}): Promise<Answer> {
    return this.ask('POST', path, { ...asked, body });
  }

  put(path: string, body: unknown): Promise<Answer> {
    return this.ask('PUT', path, { body });
  }

  delete(path: string): Promise<Answer> {
    return this.ask('DELETE', path, {});
  }

  /** must answers the JSON of an answer of success; any other throws with what was said. */
  async must(answer: Promise<Answer>): Promise<Json> {
    const { status, text, json } = await answer;
    if (status < 200 || status > 299) throw new Error(`answered ${status}: ${text.slice(0, 1000)}`);
    return json;
  }

  /** ask sends one request; it rejects only where no answer comes. */
  async ask(method: string, path: string, { body, headers = {}, timeoutMs = TIMEOUT_MS }: Asked): Promise<Answer> {
    const { key, url, onAnswer } = this.options;
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const payload = body === undefined || isRaw ? body : JSON.stringify(body);
    const sent: Record<string, string> = {
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...(payload === undefined || 'transfer-encoding' in headers
        ? {}
        : { 'content-length': String(Buffer.byteLength(payload)) }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...headers,
    };
    const answer = await exchange(
      new URL(path, `${url()}/api/v1/`),
      { method, headers: sent, payload, timeoutMs },
      this.agent,
    );
    onAnswer?.(answer);
    return answer;
  }

  /** close lets go of open connections, as after a restart of the platform. */
  close(): void {
    this.agent.destroy();
  }
}

interface Exchange {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string | Uint8Array | undefined;
  readonly timeoutMs: number;
}

function exchange(url: URL, { method, headers, payload, timeoutMs }: Exchange, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const call = request(url, { method, headers, agent, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) });
      });
    });
    call.on('error', reject);
    call.end(payload);
  });
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
