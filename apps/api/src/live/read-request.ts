import { type LiveRequest, LiveRequestSchema, type ProblemCode } from '@tidemark/types';
import { compileSchema, type SchemaCheck } from '../ingest/schema-check.js';

/** RequestOutcome is a message of a client, or why it could not be followed. */
export type RequestOutcome =
  | { readonly ok: true; readonly request: LiveRequest }
  | { readonly ok: false; readonly code: ProblemCode; readonly message: string };

/** RequestReader reads a message of a client: the text of one frame. */
export type RequestReader = (text: string) => RequestOutcome;

const TYPES: readonly unknown[] = ['subscribe', 'unsubscribe', 'ping'] satisfies LiveRequest['type'][];

/** createRequestReader compiles the schema of what clients may say. */
export function createRequestReader(): RequestReader {
  const check: SchemaCheck<LiveRequest> = compileSchema(LiveRequestSchema);
  return function readRequest(text) {
    const value = parse(text);
    if (value === undefined) return refuse('malformed_body', 'the message is not JSON');
    if (check.accepts(value)) return { ok: true, request: value };
    const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
    if (!TYPES.includes(type)) return refuse('validation_failed', 'type must be one of subscribe, unsubscribe, ping');
    // The schema is a union: the faults of the other types are all about `type`.
    const fault = check.faults(value).find(({ pointer }) => pointer !== '/type' && pointer !== '');
    return refuse('validation_failed', fault ? `${fault.pointer} ${fault.message}` : 'the message is not valid');
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function refuse(code: ProblemCode, message: string): RequestOutcome {
  return { ok: false, code, message };
}
