import type { Point, PointKind } from './point.js';
import type { SendBuffer } from './send-buffer.js';
import { utf8Length } from './utf8-length.js';

/** BatchLimits bounds one batch. */
export interface BatchLimits {
  readonly maxItems: number;
  /** maxBytes is aimed at for the JSON body before compression, hardMaxBytes never passed. */
  readonly maxBytes: number;
  readonly hardMaxBytes: number;
  /** newKey makes the Idempotency-Key. */
  readonly newKey: () => string;
}

/** Sealed is a batch, if anything was waiting, and how many points were too large for any batch. */
export interface Sealed {
  readonly batch: Batch | undefined;
  readonly tooLarge: number;
}

const OPENING = '{"metrics":[';
const CLOSING = ']}';
const ENVELOPE_BYTES = OPENING.length + CLOSING.length;

/**
 * Batch is points that share one request and one Idempotency-Key until the server gives a final answer: the same key
 * always goes with the same bytes.
 */
export class Batch {
  readonly kind: PointKind;
  readonly key: string;
  /** items are the points' JSON, in order. */
  readonly items: readonly string[];
  /** from is the buffer position of the first point. */
  readonly from: number;
  /** tries counts the requests that carried it. */
  tries = 0;
  /** triedAt is the monotonic time of the first of them. */
  triedAt: number | undefined;
  /** handedOver is set while a request that outlives the page carries it. */
  handedOver = false;
  /** compressed keeps the gzip body for the next try. */
  compressed: Uint8Array<ArrayBuffer> | undefined;
  #body: Uint8Array<ArrayBuffer> | undefined;

  constructor(kind: PointKind, key: string, items: readonly string[], from: number) {
    this.kind = kind;
    this.key = key;
    this.items = items;
    this.from = from;
  }

  /** body is the JSON document as bytes. */
  get body(): Uint8Array<ArrayBuffer> {
    this.#body ??= new TextEncoder().encode(OPENING + this.items.join(',') + CLOSING);
    return this.#body;
  }

  /** halves answers the batch as two, under new keys: the server stored nothing under this one. */
  halves(newKey: () => string): readonly [Batch, Batch] {
    const middle = Math.ceil(this.items.length / 2);
    return [
      new Batch(this.kind, newKey(), this.items.slice(0, middle), this.from),
      new Batch(this.kind, newKey(), this.items.slice(middle), this.from + middle),
    ];
  }
}

/**
 * seal takes the oldest points out of `buffer`, as many as fit, and makes them a batch. A point above `maxBytes` goes
 * alone; one above `hardMaxBytes` goes nowhere.
 */
export function seal(kind: PointKind, buffer: SendBuffer<Point>, limits: BatchLimits): Sealed {
  const items: string[] = [];
  let from = buffer.head;
  let bytes = ENVELOPE_BYTES;
  let tooLarge = 0;
  let point = buffer.peek();
  while (point !== undefined && items.length < limits.maxItems) {
    const json = point.toJson();
    const size = utf8Length(json) + 1;
    const fits = ENVELOPE_BYTES + size <= limits.hardMaxBytes;
    if (fits && items.length > 0 && bytes + size > limits.maxBytes) break;
    if (fits && items.length === 0) from = buffer.head;
    buffer.shift();
    if (fits) items.push(json);
    else tooLarge++;
    bytes += fits ? size : 0;
    point = buffer.peek();
  }
  return { batch: items.length === 0 ? undefined : new Batch(kind, limits.newKey(), items, from), tooLarge };
}
