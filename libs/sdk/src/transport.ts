import type { Reply } from './answer.js';
import type { Batch } from './batch.js';
import type { Clock } from './clock.js';
import { isRecord } from './is-record.js';
import type { PointKind } from './point.js';

/** TransportOptions says where requests go and how. */
export interface TransportOptions {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly gzipMinBytes: number;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

const ROUTES: Readonly<Record<PointKind, string>> = {
  inference: '/metrics/inference/batch',
  drift: '/metrics/drift/batch',
};

/** MAX_ANSWER_BYTES bounds what is read of an answer: 10,000 rejections fit, an endless body does not. */
const MAX_ANSWER_BYTES = 8_000_000;

/** Transport carries one batch to the server and back; it decides nothing and never throws. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #fetch: typeof globalThis.fetch;
  #abort: AbortController | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
    // Called bare: a browser's fetch refuses any other `this`.
    this.#fetch = options.fetch;
  }

  /** send posts `batch` and reads the answer, both within `timeoutMs`. */
  async send(batch: Batch, timeoutMs: number): Promise<Reply> {
    return this.#within(timeoutMs, async (abort) => {
      this.#abort = abort;
      const compressed = await this.#compress(batch);
      return this.#post(batch, {
        body: compressed ?? batch.body,
        headers: this.#headers(batch, compressed !== undefined),
        signal: abort.signal,
      });
    });
  }

  /** sendLeaving posts `batch` in a way that outlives the page; the request is on its way when this returns. */
  async sendLeaving(batch: Batch, timeoutMs: number): Promise<Reply> {
    return this.#within(timeoutMs, ({ signal }) =>
      // Uncompressed: compressing is asynchronous, and a page that leaves gets no second turn.
      this.#post(batch, { body: batch.body, headers: this.#headers(batch, false), keepalive: true, signal }),
    );
  }

  /** abort breaks off the request of `send` that is under way. */
  abort(): void {
    this.#abort?.abort();
  }

  async #within(timeoutMs: number, post: (abort: AbortController) => Promise<Reply>): Promise<Reply> {
    const abort = new AbortController();
    let timedOut = false;
    const onTimeout = (): void => {
      timedOut = true;
      abort.abort();
    };
    const cancelTimer = this.#options.clock.after(timeoutMs, onTimeout, false);
    try {
      return await post(abort);
    } catch (cause) {
      if (timedOut) return { kind: 'failed', reason: 'timeout', message: `no answer in ${String(timeoutMs)} ms` };
      return { kind: 'failed', reason: 'network', message: faultText(cause) };
    } finally {
      cancelTimer();
    }
  }

  #headers(batch: Batch, gzip: boolean): Record<string, string> {
    const { apiKey } = this.#options;
    return {
      'content-type': 'application/json',
      'idempotency-key': batch.key,
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    };
  }

  async #post(batch: Batch, init: RequestInit): Promise<Reply> {
    const send = this.#fetch;
    const response = await send(this.#options.baseUrl + ROUTES[batch.kind], {
      ...init,
      method: 'POST',
      // A redirect would lose the body or carry the key elsewhere.
      redirect: 'manual',
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    });
    const body = await readBody(response);
    return { kind: 'http', status: response.status, retryAfter: response.headers.get('retry-after'), body };
  }

  async #compress(batch: Batch): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (batch.body.byteLength < this.#options.gzipMinBytes || typeof CompressionStream === 'undefined')
      return undefined;
    if (batch.compressed === undefined) {
      const stream = new Blob([batch.body]).stream().pipeThrough(new CompressionStream('gzip'));
      batch.compressed = new Uint8Array(await new Response(stream).arrayBuffer());
    }
    return batch.compressed;
  }
}

/** readBody answers the body as text; undefined where it broke off or is too long, the status stands all the same. */
async function readBody(response: Response): Promise<string | undefined> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.byteLength;
      if (bytes > MAX_ANSWER_BYTES) break;
      text += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
  } catch {
    // The caller's status decides; a success without its body is asked for again.
  }
  return undefined;
}

/** faultText names what stopped a request, down to its cause (Node says `fetch failed` and no more). */
function faultText(fault: unknown): string {
  const cause = fault instanceof Error && fault.cause !== undefined ? fault.cause : fault;
  if (isRecord(cause) && typeof cause['code'] === 'string') return cause['code'];
  return cause instanceof Error ? cause.message : 'the request failed';
}
