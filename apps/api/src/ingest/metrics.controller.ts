import { createHash } from 'node:crypto';
import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import type { RejectedItem } from '@tidemark/types';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { faultDetail } from '../platform/fault-detail.js';
import { HttpProblem } from '../platform/problem.js';
import { BatchBody, type MetricBody, singleBody } from './body.js';
import { type Answer, Idempotency } from './idempotency.js';
import type { IngestOutcome, Kind } from './ingest.js';
import { IngestDoor } from './ingest-door.js';

const DONE: Readonly<Record<Kind, string>> = {
  inference: '{"status":"success","message":"Metric collected successfully"}',
  drift: '{"status":"success","message":"Drift metric collected successfully"}',
};

/** MetricsController receives metrics, one or many a request. */
@Controller('api/v1/metrics')
export class MetricsController {
  constructor(
    @Inject(IngestDoor) private readonly door: IngestDoor,
    @Inject(Idempotency) private readonly idempotency: Idempotency,
  ) {}

  @Post('inference')
  inference(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.answer(request, reply, 'inference', singleOf(request), singleAnswer);
  }

  @Post('drift')
  drift(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.answer(request, reply, 'drift', singleOf(request), singleAnswer);
  }

  @Post('inference/batch')
  inferenceBatch(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.answer(request, reply, 'inference', batchOf(request), batchAnswer);
  }

  @Post('drift/batch')
  driftBatch(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.answer(request, reply, 'drift', batchOf(request), batchAnswer);
  }

  private async answer(
    request: FastifyRequest,
    reply: FastifyReply,
    kind: Kind,
    body: MetricBody,
    answerOf: AnswerOf,
  ): Promise<void> {
    const { project } = request.principal;
    const key = idempotencyKey(request);
    if (key === null) {
      const outcome = await this.door.ingest({ project, kind, body });
      return send(reply, settle(outcome, kind, answerOf));
    }
    const fingerprint = createHash('sha256')
      .update(`${request.routeOptions.url ?? ''}\n`)
      .update(request.rawBody ?? '')
      .digest('hex');
    const named = { project, key, fingerprint };
    const recordFor = (accepted: number, rejected: readonly RejectedItem[]) =>
      this.idempotency.record(named, answerOf(accepted, rejected, kind));
    const outcome = await this.idempotency.once(named, {
      work: async () => settle(await this.door.ingest({ project, kind, body, recordFor }), kind, answerOf),
      redo: () => this.door.raiseAgain({ project, kind, body }),
    });
    if (outcome.kind === 'mismatch') {
      throw new HttpProblem('idempotency_mismatch', 'the Idempotency-Key came before, with another route or body');
    }
    if (outcome.kind === 'in_flight') {
      throw new HttpProblem('idempotency_in_flight', 'another instance is handling this Idempotency-Key', outcome);
    }
    if (outcome.replayed) void reply.header('idempotency-replayed', 'true');
    send(reply, outcome.answer);
  }
}

type AnswerOf = (accepted: number, rejected: readonly RejectedItem[], kind: Kind) => Answer;

function singleAnswer(_accepted: number, _rejected: readonly RejectedItem[], kind: Kind): Answer {
  return { status: 201, body: DONE[kind] };
}

function batchAnswer(accepted: number, rejected: readonly RejectedItem[]): Answer {
  return { status: rejected.length === 0 ? 201 : 207, body: JSON.stringify({ accepted, rejected }) };
}

/** settle turns an outcome into an answer, or into the problem that it is. */
function settle(outcome: IngestOutcome, kind: Kind, answerOf: AnswerOf): Answer {
  switch (outcome.kind) {
    case 'accepted':
      return answerOf(outcome.accepted, outcome.rejected, kind);
    case 'invalid':
      return invalid(outcome.rejected, answerOf === batchAnswer);
    case 'full':
      throw new HttpProblem(
        'overloaded',
        'too many metrics wait for the disk; nothing of the request was stored',
        outcome,
      );
    case 'failed':
      throw new HttpProblem(
        'storage_unavailable',
        'the metrics could not be written; nothing of the request was stored',
        outcome,
      );
    case 'unraised':
      throw new HttpProblem(
        'storage_unavailable',
        'the metrics are stored but an alert could not be; repeat the request',
        outcome,
      );
    case 'closed':
      throw new HttpProblem('draining', 'the server is stopping', { retryAfterS: 2 });
  }
}

function invalid(rejected: readonly RejectedItem[], isBatch: boolean): Answer {
  const [first] = rejected;
  if (first && rejected.every((item) => item.code === 'series_limit')) {
    throw new HttpProblem('series_limit', first.message, {
      errors: isBatch ? undefined : rejected.map(withoutIndex),
      retryAfterS: 60,
    });
  }
  if (isBatch) return { status: 422, body: JSON.stringify({ accepted: 0, rejected }) };
  const detail = faultDetail(first?.pointer || 'the body', first?.message ?? 'is not valid', rejected.length);
  throw new HttpProblem('validation_failed', detail, { errors: rejected.map(withoutIndex) });
}

function withoutIndex({ pointer, code, message }: RejectedItem) {
  return { pointer, code, message };
}

function singleOf(request: FastifyRequest): MetricBody {
  return singleBody(request.body, request.rawBody);
}

/** A batch is not parsed yet; a request without a body has an empty one. */
function batchOf(request: FastifyRequest): MetricBody {
  const body: unknown = request.body;
  if (!isMetricBody(body)) return new BatchBody(Buffer.alloc(0));
  // No lines at all are told as the same fault; only lines are parsed by now.
  return body.source === null && body.items.length === 0 ? new BatchBody(Buffer.alloc(0)) : body;
}

function isMetricBody(body: unknown): body is MetricBody {
  return typeof body === 'object' && body !== null && 'exactItem' in body && typeof body.exactItem === 'function';
}

function idempotencyKey(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && key.length > 0 && key.length <= 256) return key;
  throw new HttpProblem('validation_failed', 'an Idempotency-Key has 1 to 256 characters', {
    errors: [{ pointer: '/headers/idempotency-key', code: 'length', message: 'must have 1 to 256 characters' }],
  });
}

function send(reply: FastifyReply, answer: Answer): void {
  void reply.status(answer.status).header('content-type', 'application/json; charset=utf-8').send(answer.body);
}
