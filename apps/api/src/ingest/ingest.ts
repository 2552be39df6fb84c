import type { RejectedItem } from '@tidemark/types';
import type { AppendOutcome, Entry } from '../buffer/batch-writer.js';
import type { Breach } from '../rules/evaluate.js';
import type { DriftPoint, IdempotencyRecord, Point } from '../store/point-store.js';
import type { MetricBody } from './body.js';
import type { Validated } from './validate.js';

/** Kind is what a request brings. */
export type Kind = 'inference' | 'drift';

/** IngestRequest is one request's metrics. */
export interface IngestRequest {
  readonly project: string;
  readonly kind: Kind;
  readonly body: MetricBody;
  /** recordFor makes the record of the answer to keep, when the request carries an Idempotency-Key. */
  readonly recordFor?: (accepted: number, rejected: readonly RejectedItem[]) => IdempotencyRecord;
}

/**
 * IngestOutcome is what became of a request. Unless it is `accepted` nothing of it was stored, but for `unraised`: the
 * points are on disk and an alert they caused is not, so the client must repeat the request.
 */
export type IngestOutcome =
  | { readonly kind: 'accepted'; readonly accepted: number; readonly rejected: readonly RejectedItem[] }
  | { readonly kind: 'invalid'; readonly rejected: readonly RejectedItem[] }
  | ((
      | { readonly kind: 'unraised'; readonly retryAfterS: number; readonly cause: unknown }
      | Exclude<AppendOutcome, { readonly kind: 'stored' }>
    ) & { readonly rejected: readonly RejectedItem[] });

/** Stages are the steps of the path, each bound to what it needs. */
export interface Stages {
  readonly validate: (project: string, kind: Kind, body: MetricBody) => Validated | Promise<Validated>;
  readonly write: (entry: Entry) => Promise<AppendOutcome>;
  readonly remember: (points: readonly Point[]) => void;
  readonly evaluate: (points: readonly Point[], drifts: readonly DriftPoint[]) => readonly Breach[];
  readonly raise: (breaches: readonly Breach[]) => Promise<void>;
  readonly publish: (project: string, points: readonly Point[], drifts: readonly DriftPoint[]) => void;
  readonly count: (kind: Kind, outcome: IngestOutcome, received: number) => void;
}

/** Ingest is the path of a metric, as a function of a request. */
export type Ingest = (request: IngestRequest) => Promise<IngestOutcome>;

/**
 * createIngest strings the stages together. When the returned promise resolves with `accepted`, the points are on
 * disk, evaluated, and every alert they caused is committed with its deliveries.
 */
export function createIngest(stages: Stages): Ingest {
  return async function ingest(request) {
    const { points, drifts, rejected, received } = await stages.validate(request.project, request.kind, request.body);
    const accepted = points.length + drifts.length;
    const outcome = accepted === 0 ? ({ kind: 'invalid', rejected } as const) : await store();
    stages.count(request.kind, outcome, received);
    return outcome;

    async function store(): Promise<IngestOutcome> {
      const written = await stages.write({ points, drifts, record: request.recordFor?.(accepted, rejected) });
      if (written.kind !== 'stored') return { ...written, rejected };
      stages.remember(points);
      const breaches = stages.evaluate(points, drifts);
      if (breaches.length > 0) {
        try {
          await stages.raise(breaches);
        } catch (cause) {
          return { kind: 'unraised', retryAfterS: 1, cause, rejected };
        }
      }
      stages.publish(request.project, points, drifts);
      return { kind: 'accepted', accepted, rejected };
    }
  };
}
