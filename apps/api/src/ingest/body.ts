import { isAscii, isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { MAX_BATCH_ITEMS } from '@tidemark/types';
import { HttpProblem } from '../platform/problem.js';
import { quoteInexactIntegers } from './exact-numbers.js';
import { findForbiddenName } from './forbidden-name.js';
import { findBoundsFault } from './json-bounds.js';

/** MalformedItem stands in a body for an NDJSON line that is not valid JSON. */
export class MalformedItem {
  constructor(readonly reason: string) {}
}

/** MetricBody is a request's metrics, not validated; those of a batch are parsed when first asked for. */
export interface MetricBody {
  readonly items: readonly unknown[];
  /** source is the JSON text of a whole batch, null for any other body. */
  readonly source: Buffer | null;
  /** exactItem is the item of that index with integers that no double can hold left as text. */
  exactItem(index: number): unknown;
}

const inflate = promisify(gunzip);

/** decode undoes a body's Content-Encoding without ever making more than maxBytes. */
export async function decode(body: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const wanted = encoding?.trim().toLowerCase();
  if (wanted === undefined || wanted === '' || wanted === 'identity') return body;
  if (wanted !== 'gzip')
    throw new HttpProblem('unsupported_media_type', `the encoding "${wanted.slice(0, 40)}" is not supported; gzip is`);
  try {
    return await inflate(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxBytes);
    throw new HttpProblem('malformed_body', 'the body is not valid gzip', { cause: error });
  }
}

/** tooLarge is the problem of a body over its limit. */
export function tooLarge(maxBytes: number): HttpProblem {
  return new HttpProblem('body_too_large', `the body has more than ${maxBytes} bytes`);
}

/** parseJson parses a JSON body within bounds of depth and members, and refuses names that could reach a prototype. */
export function parseJson(body: Buffer): unknown {
  const fault = findBoundsFault(body);
  if (fault) throw new HttpProblem(fault.code, `at byte ${fault.offset}`);
  try {
    return parseText(body, (text) => text);
  } catch (error) {
    throw new HttpProblem('malformed_body', reason(error), { cause: error });
  }
}

/** parseLines parses NDJSON; a line that is not valid JSON becomes a MalformedItem, empty lines are left out. */
export function parseLines(body: Buffer): MetricBody {
  const items: unknown[] = [];
  let start = 0;
  while (start < body.length) {
    const newline = body.indexOf(0x0a, start);
    const end = newline === -1 ? body.length : newline;
    const line = body.subarray(start, end);
    start = end + 1;
    if (line.length === 0 || (line.length === 1 && line[0] === 0x0d)) continue;
    items.push(parseLine(line));
    if (items.length > MAX_BATCH_ITEMS) throw tooManyItems();
  }
  return bodyOf(items);
}

/**
 * BatchBody is a batch as JSON that is parsed when its items are first asked for, which throws the HttpProblem of what is
 * wrong with the text: most batches are read without.
 */
export class BatchBody implements MetricBody {
  private parsed: readonly unknown[] | null = null;
  private exact: readonly unknown[] | null = null;

  constructor(readonly source: Buffer) {}

  get items(): readonly unknown[] {
    this.parsed ??= itemsOf(this.source.length === 0 ? undefined : parseJson(this.source));
    return this.parsed;
  }

  exactItem(index: number): unknown {
    this.exact ??= itemsOf(JSON.parse(quoteInexactIntegers(this.source.toString('utf8'))));
    return this.exact[index];
  }
}

/** singleBody is the one metric of a parsed request. */
export function singleBody(item: unknown, source: Buffer | null): MetricBody {
  return bodyOf([item], () => (source?.length ? JSON.parse(quoteInexactIntegers(source.toString('utf8'))) : item));
}

function bodyOf(
  items: readonly unknown[],
  exactItem: (index: number) => unknown = (index) => items[index],
): MetricBody {
  return { items, exactItem, source: null };
}

function itemsOf(batch: unknown): readonly unknown[] {
  const metrics: unknown =
    typeof batch === 'object' && batch !== null && 'metrics' in batch ? batch.metrics : undefined;
  if (!Array.isArray(metrics) || metrics.length === 0) {
    throw new HttpProblem('validation_failed', 'a batch is {"metrics": [...]} with at least one item', {
      errors: [
        {
          pointer: '/metrics',
          code: metrics === undefined ? 'required' : 'type',
          message: 'must be a list with at least one item',
        },
      ],
    });
  }
  if (metrics.length > MAX_BATCH_ITEMS) throw tooManyItems();
  return metrics;
}

function parseLine(line: Buffer): unknown {
  if (findBoundsFault(line)) return new MalformedItem('the line is nested too deeply or has too many members');
  try {
    return parseText(line, quoteInexactIntegers);
  } catch (error) {
    return new MalformedItem(reason(error));
  }
}

/** Almost every body is ASCII, whose bytes are a string's as they are. */
function textOf(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw new SyntaxError('it is not valid UTF-8');
  return bytes.toString('utf8');
}

/** Bytes that are no UTF-8 are refused: read with a replacement, two names could become one. */
function parseText(bytes: Buffer, prepare: (text: string) => string): unknown {
  const value: unknown = JSON.parse(prepare(textOf(bytes)));
  const name = mayNamePrototype(bytes) ? findForbiddenName(value) : null;
  if (name !== null) throw new SyntaxError(`the name "${name}" is forbidden`);
  return value;
}

/** An escape could hide the names, so any escape has the members looked at one by one. */
function mayNamePrototype(body: Buffer): boolean {
  return body.includes('__proto__') || body.includes('constructor') || body.includes('\\u');
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : 'it is not valid JSON';
}

function tooManyItems(): HttpProblem {
  return new HttpProblem('body_too_large', `a batch holds at most ${MAX_BATCH_ITEMS} items`);
}
