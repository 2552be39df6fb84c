import { parseRetryAfter } from './backoff.js';
import { isRecord } from './is-record.js';

/** Reply is what became of one request: an HTTP answer, or none. */
export type Reply =
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly retryAfter: string | null;
      /** body is undefined where it broke off or was too long. */
      readonly body: string | undefined;
    }
  | { readonly kind: 'failed'; readonly reason: 'network' | 'timeout'; readonly message: string };

/** Rejection is the server's word on one item of a batch. */
export interface Rejection {
  readonly index: number;
  readonly code: string;
  readonly pointer: string;
  readonly message: string;
}

/** Answer is what a reply means for the batch it belongs to. */
export type Answer =
  /** taken is final: every item is either accepted or rejected; `unexplained` ones are rejected without a word. */
  | {
      readonly kind: 'taken';
      readonly accepted: number;
      readonly rejections: readonly Rejection[];
      readonly unexplained: number;
      readonly status: number;
    }
  /** refused is final: nothing of it was taken. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string }
  /** too_large asks for smaller batches. */
  | { readonly kind: 'too_large' }
  /** held is a refusal that a person can mend, such as a missing key: the points are kept. */
  | { readonly kind: 'held'; readonly reason: string; readonly message: string }
  /** retry means not now; `blame` where it speaks of a server in trouble. */
  | {
      readonly kind: 'retry';
      readonly reason: string;
      readonly message: string;
      readonly retryAfterMs: number | undefined;
      readonly blame: boolean;
    };

/** AnswerContext is what reading a reply needs to know. */
export interface AnswerContext {
  readonly itemCount: number;
  readonly holdStatuses: readonly number[];
  readonly nowMs: number;
}

/** RETRY_STATUSES are the client errors that pass by themselves: timeout, same key in flight, too early, too many. */
const RETRY_STATUSES = [408, 409, 425, 429];

/** readAnswer answers what `reply` means for a batch of `itemCount` items. */
export function readAnswer(reply: Reply, { itemCount, holdStatuses, nowMs }: AnswerContext): Answer {
  if (reply.kind === 'failed') {
    return { kind: 'retry', reason: reply.reason, message: reply.message, retryAfterMs: undefined, blame: true };
  }
  const { status } = reply;
  const reason = `http_${String(status)}`;
  const body = parseBody(reply.body);
  const message = problemText(body) ?? `the server answered ${String(status)}`;
  if (holdStatuses.includes(status)) return { kind: 'held', reason, message };
  if (status === 413) return { kind: 'too_large' };
  if (status === 422 || (status >= 200 && status < 300)) {
    const taken = readTaken(status, body, itemCount);
    if (taken !== undefined) return taken;
  }
  if (status >= 500 || RETRY_STATUSES.includes(status)) {
    const retryAfterMs = parseRetryAfter(reply.retryAfter, nowMs);
    return { kind: 'retry', reason, message, retryAfterMs, blame: status >= 500 };
  }
  if (status >= 400 && reply.body !== undefined)
    return { kind: 'refused', status, code: problemCode(body) ?? reason, message };
  // A proxy's page, a redirect, a body that broke off: not Tidemark's word, so nothing counts as taken.
  const strange = `${reason} is not an answer of Tidemark's: is the url right?`;
  return { kind: 'retry', reason: 'unexpected_answer', message: strange, retryAfterMs: undefined, blame: true };
}

/**
 * readTaken reads the outcome of each item. A 201 says by its status that all were taken; any other success must say so
 * in its body, for a login page of some proxy is a 200 too.
 */
function readTaken(status: number, body: unknown, itemCount: number): Answer | undefined {
  const listed = isRecord(body) && Array.isArray(body['rejected']) ? body['rejected'] : undefined;
  const claimed = isRecord(body) && typeof body['accepted'] === 'number' ? body['accepted'] : undefined;
  if (status !== 201 && (status === 422 || status === 207 ? listed : claimed) === undefined) return undefined;
  const rejections = readRejections(listed ?? [], itemCount);
  const left = itemCount - rejections.length;
  const most = status === 422 ? 0 : left;
  const accepted = claimed === undefined ? most : Math.min(most, Math.max(0, Math.floor(claimed)));
  return { kind: 'taken', accepted, rejections, unexplained: left - accepted, status };
}

function readRejections(listed: readonly unknown[], itemCount: number): Rejection[] {
  const byIndex = new Map<number, Rejection>();
  for (const entry of listed) {
    const index = isRecord(entry) ? entry['index'] : undefined;
    if (!isRecord(entry) || typeof index !== 'number' || !Number.isInteger(index)) continue;
    if (index < 0 || index >= itemCount || byIndex.has(index)) continue;
    const text = (name: string, missing: string): string => {
      const value = entry[name];
      return typeof value === 'string' ? value : missing;
    };
    byIndex.set(index, {
      index,
      code: text('code', 'rejected'),
      pointer: text('pointer', ''),
      message: text('message', ''),
    });
  }
  return [...byIndex.values()];
}

function parseBody(body: string | undefined): unknown {
  try {
    return body === undefined ? undefined : JSON.parse(body);
  } catch {
    return undefined;
  }
}

function problemCode(body: unknown): string | undefined {
  return isRecord(body) && typeof body['code'] === 'string' ? body['code'] : undefined;
}

function problemText(body: unknown): string | undefined {
  if (!isRecord(body)) return undefined;
  const text = body['detail'] ?? body['title'];
  return typeof text === 'string' ? text : undefined;
}
