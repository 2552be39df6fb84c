import { isAscii, isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type ItemFault, MAX_BATCH_ITEMS } from '@tidemark/types';
import { HttpProblem } from '../platform/problem.js';
import { quoteInexactIntegers } from './exact-numbers.js';
import { type ForbiddenName, findForbiddenName } from './forbidden-name.js';
import { type BoundsFault, findBoundsFault, MAX_DEPTH, MAX_MEMBERS } from './json-bounds.js';
import { setAsideItems } from './outsize-items.js';

/** MalformedItem stands in a body for an item that is not handed on as it came, and says why. */
export class MalformedItem {
  constructor(readonly fault: ItemFault) {}
}

/** MetricBody is a request's metrics, not validated; those of a batch are parsed when first asked for. */
export interface MetricBody {
  readonly items: readonly unknown[];
  /** source is the JSON text of a whole batch, null for any other body. */
  readonly source: Buffer | null;
  /** exactItem is the item of that index with integers that no double can hold left as text. */
  exactItem(index: number): unknown;
}

/** A batch is two levels around its items, each of which may be as deep as a body of its own. */
const MAX_BATCH_DEPTH = MAX_DEPTH + 2;

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
  if (fault) throw outOfBounds(fault);
  const value = parseText(body);
  const found = mayNamePrototype(body) ? findForbiddenName(value) : null;
  if (found) throw forbidden(found);
  return value;
}

/** parseLines parses NDJSON; a line that cannot be read becomes a MalformedItem, empty lines are left out. */
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
 * wrong with the text: most batches are read without. An item that is out of bounds or holds a forbidden name becomes a
 * MalformedItem, as it would alone on a line; what is wrong outside of the items is wrong with the whole.
 */
export class BatchBody implements MetricBody {
  private parsed: readonly unknown[] | null = null;
  private exact: readonly unknown[] | null = null;
  /** The source, or the source without the items that are out of bounds: they are never parsed. */
  private readable: Buffer;

  constructor(readonly source: Buffer) {
    this.readable = source;
  }

  get items(): readonly unknown[] {
    this.parsed ??= this.source.length === 0 ? itemsOf(undefined) : this.parse();
    return this.parsed;
  }

  exactItem(index: number): unknown {
    const item = this.items[index];
    if (item instanceof MalformedItem) return item;
    this.exact ??= itemsOf(JSON.parse(quoteInexactIntegers(this.readable.toString('utf8'))));
    return this.exact[index];
  }

  private parse(): readonly unknown[] {
    const fault = findBoundsFault(this.source, MAX_BATCH_DEPTH);
    const aside = fault ? setAsideItems(this.source) : null;
    if (aside) this.readable = aside.text;
    const left = fault && findBoundsFault(this.readable, MAX_BATCH_DEPTH);
    if (left) throw outOfBounds(left);
    const batch = parseText(this.readable);
    const isSuspect = mayNamePrototype(this.readable);
    const found = isSuspect ? findForbiddenName(withoutItems(batch)) : null;
    if (found) throw forbidden(found);
    const items = itemsOf(batch);
    if (!isSuspect && !aside) return items;
    return items.map((item, index) => {
      const outsize = aside?.faults.get(index);
      // Of two lists of items, one under an escaped name, the parser may have taken the one that was not walked.
      if (outsize && item === null) return outsizeItem(outsize);
      const inner = isSuspect ? findForbiddenName(item) : null;
      return inner ? reservedItem(inner) : item;
    });
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

/** What is no batch is looked at as a whole. */
function withoutItems(batch: unknown): unknown {
  if (typeof batch !== 'object' || batch === null || !('metrics' in batch)) return batch;
  return Array.isArray(batch.metrics) ? { ...batch, metrics: null } : batch;
}

function parseLine(line: Buffer): unknown {
  const fault = findBoundsFault(line);
  if (fault) return outsizeItem(fault);
  let item: unknown;
  try {
    item = JSON.parse(quoteInexactIntegers(textOf(line)));
  } catch (error) {
    return new MalformedItem({ pointer: '', code: 'malformed_body', message: reason(error) });
  }
  const found = mayNamePrototype(line) ? findForbiddenName(item) : null;
  return found ? reservedItem(found) : item;
}

function outsizeItem({ code }: BoundsFault): MalformedItem {
  const message =
    code === 'too_deep'
      ? `the item is nested more than ${MAX_DEPTH} deep`
      : `an object of the item has more than ${MAX_MEMBERS} members`;
  return new MalformedItem({ pointer: '', code, message });
}

function reservedItem({ pointer, name }: ForbiddenName): MalformedItem {
  return new MalformedItem({ pointer, code: 'reserved_name', message: `the name "${name}" is reserved` });
}

function outOfBounds({ code, offset }: BoundsFault): HttpProblem {
  return new HttpProblem(code, `at byte ${offset}`);
}

function forbidden({ name }: ForbiddenName): HttpProblem {
  return new HttpProblem('malformed_body', `the name "${name}" is forbidden`);
}

/**
 * Almost every body is ASCII, whose bytes are a string's as they are. Bytes that are no UTF-8 are refused: read with a
 * replacement, two names could become one.
 */
function textOf(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw new SyntaxError('it is not valid UTF-8');
  return bytes.toString('utf8');
}

function parseText(bytes: Buffer): unknown {
  try {
    return JSON.parse(textOf(bytes));
  } catch (error) {
    throw new HttpProblem('malformed_body', reason(error), { cause: error });
  }
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
