import { setTimeout as pause } from 'node:timers/promises';
import { type IdempotencyRecord, RECORD_LIFE_MS } from '../store/point-store.js';
import type { FlightOutcome, SharedFlights } from './shared-flights.js';

/** Answer is what a request was answered: a status and the JSON body as sent. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** IdempotentRequest names a request by its key; the fingerprint is the SHA-256 of route and body, hex. */
export interface IdempotentRequest {
  readonly project: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** IdempotencyOutcome is the answer, given now or before, or why there is none. */
export type IdempotencyOutcome =
  | { readonly kind: 'answered'; readonly answer: Answer; readonly replayed: boolean }
  | { readonly kind: 'mismatch' }
  /** Another instance has not finished the same request. */
  | { readonly kind: 'in_flight'; readonly retryAfterS: number };

/** IdempotencyDeps are where answers are looked up, and how long they hold. */
export interface IdempotencyDeps {
  readonly find: (project: string, key: string) => Promise<IdempotencyRecord | null>;
  readonly wallMs: () => number;
  /** Set where several instances take requests. */
  readonly shared?: SharedFlights;
  /** How long a request waits for another instance that does the same, default 2000 ms. */
  readonly patienceMs?: number;
}

/** A crash can have come between storing points and raising their alerts only this long before the retry matters. */
const REDO_WITHIN_MS = 15 * 60_000;
const MAX_FINISHED = 100_000;
const LOOK_EVERY_MS = 50;

interface Flight {
  readonly fingerprint: string;
  readonly outcome: Promise<IdempotencyOutcome>;
}

/** Job is what a request does: `work` once, `redo` before an answer of an earlier life of the process is given again. */
export interface Job {
  /** work stores what it does together with its answer. */
  readonly work: () => Promise<Answer>;
  /** redo raises the alerts of the request again, which changes nothing where they were raised. */
  readonly redo: () => Promise<void>;
}

/**
 * Idempotency lets the same key and body happen once. The answer is stored in the same durable write as the points
 * (see WriteBatch), so a crash keeps both or neither; requests that overlap share one flight.
 */
export class Idempotency {
  private readonly flights = new Map<string, Flight>();
  /** Requests finished, alerts and all, by this process. */
  private readonly finished = new Set<string>();

  constructor(private readonly deps: IdempotencyDeps) {}

  /** once runs the job unless the key was used before; it rejects with what the job threw. */
  async once(request: IdempotentRequest, job: Job): Promise<IdempotencyOutcome> {
    const id = `${request.project.length}:${request.project}${request.key}`;
    const flight = this.flights.get(id);
    if (flight) {
      if (flight.fingerprint !== request.fingerprint) return { kind: 'mismatch' };
      const outcome = await flight.outcome;
      return outcome.kind === 'answered' ? { ...outcome, replayed: true } : outcome;
    }
    const outcome = this.run(id, request, job);
    this.flights.set(id, { fingerprint: request.fingerprint, outcome });
    try {
      return await outcome;
    } finally {
      this.flights.delete(id);
    }
  }

  /** record is what to store of a request and its answer, in one write with what the request stores. */
  record(request: IdempotentRequest, { status, body }: Answer): IdempotencyRecord {
    return { ...request, status, body, createdMs: this.deps.wallMs() };
  }

  /** Takes the request over all instances, then does it; without other instances it is simply done. */
  private async run(id: string, request: IdempotentRequest, job: Job): Promise<IdempotencyOutcome> {
    const { shared } = this.deps;
    if (!shared) return this.runAlone(id, request, job);
    const flight = await this.takeShared(shared, id, request.fingerprint);
    if (flight.kind !== 'taken' && flight.fingerprint !== request.fingerprint) return { kind: 'mismatch' };
    if (flight.kind === 'busy') return { kind: 'in_flight', retryAfterS: 1 };
    if (flight.kind === 'landed') return { kind: 'answered', answer: flight.answer, replayed: true };
    let answer: Answer | null = null;
    try {
      const outcome = await this.runAlone(id, request, job);
      if (outcome.kind === 'answered') answer = outcome.answer;
      return outcome;
    } finally {
      await flight.land(answer);
    }
  }

  private async takeShared(shared: SharedFlights, id: string, fingerprint: string): Promise<FlightOutcome> {
    const endMs = performance.now() + (this.deps.patienceMs ?? 2000);
    for (;;) {
      const flight = await shared.take(id, fingerprint);
      const isOver = performance.now() + LOOK_EVERY_MS > endMs;
      if (flight.kind !== 'busy' || flight.fingerprint !== fingerprint || isOver) return flight;
      await pause(LOOK_EVERY_MS);
    }
  }

  private async runAlone(id: string, request: IdempotentRequest, job: Job): Promise<IdempotencyOutcome> {
    const nowMs = this.deps.wallMs();
    const record = await this.deps.find(request.project, request.key);
    if (record && record.createdMs > nowMs - RECORD_LIFE_MS) {
      if (record.fingerprint !== request.fingerprint) return { kind: 'mismatch' };
      if (!this.finished.has(id) && record.createdMs > nowMs - REDO_WITHIN_MS) await job.redo();
      this.finish(id);
      return { kind: 'answered', answer: { status: record.status, body: record.body }, replayed: true };
    }
    this.finished.delete(id); // what was finished under this key before was another request
    const answer = await job.work();
    this.finish(id);
    return { kind: 'answered', answer, replayed: false };
  }

  private finish(id: string): void {
    if (this.finished.size >= MAX_FINISHED) this.finished.clear();
    this.finished.add(id);
  }
}
