import type { Answer, Rejection } from './answer.js';
import { seal } from './batch.js';
import type { Batch } from './batch.js';
import type { ResolvedOptions } from './options.js';
import type { Point, PointKind } from './point.js';
import type { RejectedItem, Reporter } from './reporter.js';
import { SendBuffer } from './send-buffer.js';
import type { DropReason, Ledger, Stats } from './stats.js';
import { uuid } from './uuid.js';

/** FinalAnswer is an answer after which a batch, as it is, is done. */
export type FinalAnswer = Extract<Answer, { kind: 'taken' | 'refused' | 'too_large' }>;

/** OutboxParts is what an outbox works with. */
export interface OutboxParts {
  readonly options: ResolvedOptions;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
}

/** Lane is the buffer of one kind and the largest batch its route takes, as learned from 413 answers. */
interface Lane {
  readonly kind: PointKind;
  readonly buffer: SendBuffer<Point>;
  maxBytes: number;
}

const MIN_BATCH_BYTES = 1_000;
const MAX_REPORTED_ITEMS = 100;

const DROP_MESSAGES: Readonly<Record<DropReason, string>> = {
  buffer_full: 'the buffer is full, the oldest made room',
  expired: 'no final answer within batchTtlMs',
  closed: 'the client is closed',
  exit: 'the process ended before they were sent',
};

/**
 * Outbox holds every point from its recording to its final answer, in a buffer and then in a batch, and keeps the
 * account of where each one ended.
 */
export class Outbox {
  readonly #options: ResolvedOptions;
  readonly #fullItems: number;
  readonly #fullBytes: number;
  readonly #ledger: Ledger;
  readonly #reporter: Reporter;
  readonly #lanes: Readonly<Record<PointKind, Lane>>;
  /** order is the lanes, the one whose turn it is first. */
  readonly #order: Lane[];
  /** queue holds the batches without a final answer, oldest first. */
  readonly #queue: Batch[] = [];

  constructor({ options, ledger, reporter }: OutboxParts) {
    this.#options = options;
    this.#fullItems = Math.min(options.maxBatchItems, Math.ceil(options.maxBufferItems / 2));
    this.#fullBytes = Math.min(options.maxBatchBytes, options.maxBufferBytes / 2);
    this.#ledger = ledger;
    this.#reporter = reporter;
    const lane = (kind: PointKind): Lane => ({
      kind,
      buffer: new SendBuffer(options.maxBufferItems, options.maxBufferBytes),
      maxBytes: options.maxBatchBytes,
    });
    this.#lanes = { inference: lane('inference'), drift: lane('drift') };
    this.#order = [this.#lanes.inference, this.#lanes.drift];
  }

  /** put takes a point and answers whether it was the one with which sending should not wait any longer. */
  put(kind: PointKind, point: Point): boolean {
    const { buffer } = this.#lanes[kind];
    const wasFull = this.#isFull(buffer);
    const lost = buffer.push(point);
    if (lost > 0) this.drop(kind, 'buffer_full', lost);
    return !wasFull && this.#isFull(buffer);
  }

  /** figures answers what is here: `buffered` waits for a batch, `inFlight` is in one. */
  figures(): Pick<Stats, 'buffered' | 'inFlight'> {
    return {
      buffered: this.#order.reduce((sum, lane) => sum + lane.buffer.size, 0),
      inFlight: this.#queue.reduce((sum, batch) => sum + batch.items.length, 0),
    };
  }

  /** hasWork tells whether there is anything to send that is not under way already with a leaving page. */
  hasWork(): boolean {
    return this.hasBatch() || this.#order.some((lane) => lane.buffer.size > 0);
  }

  /** hasBatch tells whether a batch waits for its next try. */
  hasBatch(): boolean {
    return this.#queue.some((batch) => !batch.handedOver);
  }

  /** hasFullBatch tells whether enough points wait to fill a batch, or half the buffer where that is less. */
  hasFullBatch(): boolean {
    return this.#order.some((lane) => this.#isFull(lane.buffer));
  }

  /** marks answers the positions up to which points were taken so far. */
  marks(): readonly number[] {
    return [this.#lanes.inference.buffer.tail, this.#lanes.drift.buffer.tail];
  }

  /** reached tells whether every point before `marks` has its final answer. */
  reached([inference = 0, drift = 0]: readonly number[]): boolean {
    const isPast = ({ kind, buffer }: Lane, mark: number): boolean =>
      buffer.head >= mark && !this.#queue.some((batch) => batch.kind === kind && batch.from < mark);
    return isPast(this.#lanes.inference, inference) && isPast(this.#lanes.drift, drift);
  }

  /** next answers the batch to try now: the oldest without an answer, or a new one of what waits. */
  next(elapsedMs: number): Batch | undefined {
    this.#dropExpired(elapsedMs);
    return this.#queue.find((batch) => !batch.handedOver) ?? this.sealOne(Infinity);
  }

  /** waiting answers the batches that have no final answer. */
  waiting(): readonly Batch[] {
    return [...this.#queue];
  }

  /** sealOne makes a batch of at most about `maxBytes` of the kind whose turn it is. */
  sealOne(maxBytes: number): Batch | undefined {
    for (const lane of this.#order) {
      const { batch, tooLarge } = seal(lane.kind, lane.buffer, {
        maxItems: this.#options.maxBatchItems,
        maxBytes: Math.min(maxBytes, lane.maxBytes),
        hardMaxBytes: this.#options.maxBatchBytes,
        newKey: uuid,
      });
      if (tooLarge > 0) this.#refuseTooLarge(lane.kind, tooLarge);
      if (batch === undefined) continue;
      this.#queue.push(batch);
      // The other kind is first next time, so that a flood of one does not starve the other.
      this.#order.reverse();
      return batch;
    }
    return undefined;
  }

  /** holds tells whether `batch` still has no final answer: it may have been given up, or answered on another way. */
  holds(batch: Batch): boolean {
    return this.#queue.includes(batch);
  }

  /** settle enters a final answer. */
  settle(batch: Batch, answer: FinalAnswer): void {
    if (answer.kind === 'too_large' && batch.items.length > 1) {
      this.#split(batch);
      return;
    }
    this.#dequeue(batch);
    if (answer.kind === 'taken') this.#settleTaken(batch, answer);
    else if (answer.kind === 'refused') this.#settleRefused(batch, answer);
    else this.#refuseTooLarge(batch.kind, 1);
  }

  /** drop gives up `count` points. */
  drop(kind: PointKind, reason: DropReason, count: number): void {
    this.#ledger.drop(reason, count);
    this.#reporter.dropped({ kind, reason, message: DROP_MESSAGES[reason], count });
  }

  /** dropAll gives up all there is. */
  dropAll(reason: DropReason): void {
    for (const batch of this.waiting()) this.#dropBatch(batch, reason);
    for (const { kind, buffer } of this.#order) {
      const left = buffer.clear();
      if (left > 0) this.drop(kind, reason, left);
    }
  }

  #isFull(buffer: SendBuffer<Point>): boolean {
    return buffer.size >= this.#fullItems || buffer.bytes >= this.#fullBytes;
  }

  #settleTaken(batch: Batch, answer: Extract<FinalAnswer, { kind: 'taken' }>): void {
    this.#ledger.accept(answer.accepted);
    for (const { code } of answer.rejections) this.#ledger.reject(code, 1);
    if (answer.unexplained > 0) this.#ledger.reject('unexplained', answer.unexplained);
    const count = answer.rejections.length + answer.unexplained;
    if (count === 0) {
      this.#reporter.over('refusal');
      this.#reporter.over('loss');
      return;
    }
    const items = answer.rejections.slice(0, MAX_REPORTED_ITEMS).map((rejection) => toItem(batch, rejection));
    this.#reporter.rejected({ kind: batch.kind, status: answer.status, count, items });
  }

  #settleRefused(batch: Batch, { status, code, message }: Extract<FinalAnswer, { kind: 'refused' }>): void {
    this.#ledger.reject(code, batch.items.length);
    const shown = batch.items.slice(0, MAX_REPORTED_ITEMS);
    const items = shown.map((_, index) => toItem(batch, { index, code, pointer: '', message }));
    this.#reporter.rejected({ kind: batch.kind, status, count: batch.items.length, items });
  }

  #split(batch: Batch): void {
    const lane = this.#lanes[batch.kind];
    lane.maxBytes = Math.max(MIN_BATCH_BYTES, Math.min(lane.maxBytes, Math.ceil(batch.body.byteLength / 2)));
    this.#queue.splice(this.#queue.indexOf(batch), 1, ...batch.halves(uuid));
  }

  #dropExpired(elapsedMs: number): void {
    // The server may have forgotten the key of such a batch, and taking it again would count its points twice.
    const isExpired = ({ handedOver, triedAt }: Batch): boolean =>
      !handedOver && triedAt !== undefined && elapsedMs - triedAt >= this.#options.batchTtlMs;
    for (const batch of this.#queue.filter(isExpired)) this.#dropBatch(batch, 'expired');
  }

  #dropBatch(batch: Batch, reason: DropReason): void {
    this.#dequeue(batch);
    this.drop(batch.kind, reason, batch.items.length);
  }

  #dequeue(batch: Batch): void {
    this.#queue.splice(this.#queue.indexOf(batch), 1);
  }

  #refuseTooLarge(kind: PointKind, count: number): void {
    this.#ledger.reject('too_large', count);
    this.#reporter.dropped({ kind, reason: 'too_large', message: 'a point is larger than a batch may be', count });
  }
}

function toItem(batch: Batch, { index, code, pointer, message }: Rejection): RejectedItem {
  const json = batch.items[index];
  const point: unknown = json === undefined ? undefined : JSON.parse(json);
  return { code, pointer, message, point };
}
