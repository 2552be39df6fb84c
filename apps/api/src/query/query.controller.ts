import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AlertBook } from '../alerts/alert-book.js';
import type { Clock } from '@tidemark/program';
import { HttpProblem } from '../platform/problem.js';
import type { PointStore, Position } from '../store/point-store.js';
import { aggregateText } from './aggregate-text.js';
import { readCursor, writeCursor } from './cursor.js';
import { tooLarge } from './large-answer.js';
import { pendingHeaders } from './pending-points.js';
import {
  AggregateQuerySchema,
  createQueryReader,
  DriftQuerySchema,
  InferenceQuerySchema,
  readRange,
  SummaryQuerySchema,
} from './queries.js';
import type { Read } from './read.js';
import { toStoredDrift, toStoredInference } from './stored.js';

/** QueryDeps are what queries are answered from. */
export class QueryDeps {
  constructor(
    readonly read: Read,
    readonly store: PointStore,
    readonly alerts: AlertBook,
    readonly clock: Clock,
    /** Acknowledged points that answers may lack; to be asked before reading. */
    readonly pending: () => number,
  ) {}
}

/** MAX_WINDOWS is the most windows that one answer holds. */
const MAX_WINDOWS = 11_000;
const BUILT_IN = ['latency', 'throughput', 'error_rate', 'gpu_memory', 'cpu_usage', 'memory_usage'] as const;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const inferenceQuery = createQueryReader(InferenceQuerySchema);
const driftQuery = createQueryReader(DriftQuerySchema);
const aggregateQuery = createQueryReader(AggregateQuerySchema);
const summaryQuery = createQueryReader(SummaryQuerySchema);

/** QueryController answers what was measured. */
@Controller('api/v1')
export class QueryController {
  constructor(@Inject(QueryDeps) private readonly deps: QueryDeps) {}

  @Get('metrics/inference')
  async inference(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const pending = pendingHeaders(this.deps.pending());
    const query = inferenceQuery(request.query);
    const range = {
      project: request.principal.project,
      modelId: query.model_id,
      ...readRange(query, this.deps.clock.wallMs()),
    };
    const page = await this.deps.read(range, query.limit, position(query.cursor));
    void reply.headers(pending);
    return {
      metrics: page.items.map(toStoredInference),
      ...(page.next ? { next_cursor: writeCursor(page.next) } : {}),
    };
  }

  @Get('metrics/drift')
  async drift(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const pending = pendingHeaders(this.deps.pending());
    const query = driftQuery(request.query);
    const range = {
      project: request.principal.project,
      modelId: query.model_id,
      ...readRange(query, this.deps.clock.wallMs()),
    };
    const page = await this.deps.store.recentDrift(range, query.limit, position(query.cursor));
    void reply.headers(pending);
    return {
      drift_metrics: page.items.map(toStoredDrift),
      ...(page.next ? { next_cursor: writeCursor(page.next) } : {}),
    };
  }

  @Get('metrics/aggregated')
  async aggregated(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const pending = pendingHeaders(this.deps.pending());
    const query = aggregateQuery(request.query);
    const range = readRange(query, this.deps.clock.wallMs(), 1);
    const windowMs = readWindow(query.window, range.untilMs - range.sinceMs);
    const metrics = query.metric === undefined ? BUILT_IN : [query.metric];
    const groupBy = [...new Set(query.group_by?.split(',').filter((name) => name !== ''))];
    const { project } = request.principal;
    const asked = { project, modelId: query.model_id, ...range, metrics, stat: query.stat, windowMs, groupBy };
    const aggregate = await this.deps.store.aggregate(asked).catch((error: unknown) => {
      throw tooLarge(error, asked) ?? error;
    });
    void reply.headers(pending);
    void reply.type('application/json; charset=utf-8');
    return aggregateText(aggregate, metrics, groupBy.length > 0);
  }

  @Get('summary')
  async summary(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const pending = pendingHeaders(this.deps.pending());
    const query = summaryQuery(request.query);
    const { project } = request.principal;
    const range = { project, modelId: query.model_id, ...readRange(query, this.deps.clock.wallMs()) };
    const summary = await this.deps.store.summary(range);
    void reply.headers(pending);
    return {
      total_requests: summary.totalRequests,
      average_latency: summary.averageLatency ?? 0,
      error_rate: summary.errorRate ?? 0,
      p95_latency: summary.p95Latency ?? 0,
      p99_latency: summary.p99Latency ?? 0,
      active_alerts: await this.deps.alerts.countFiring(project, query.model_id),
    };
  }
}

function position(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const found = readCursor(cursor);
  if (found) return found;
  throw new HttpProblem('invalid_query', 'cursor is not one that a page gave', {
    errors: [{ pointer: '/cursor', code: 'format', message: 'is not one that a page gave' }],
  });
}

function readWindow(text: string, rangeMs: number): number {
  const windowMs = Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? 0);
  const problem = (message: string) =>
    new HttpProblem('invalid_query', `window ${message}`, { errors: [{ pointer: '/window', code: 'range', message }] });
  if (!(windowMs > 0)) throw problem('must be longer than nothing');
  if (!(windowMs <= 400 * 86_400_000)) throw problem('must be at most 400d');
  if (rangeMs / windowMs > MAX_WINDOWS) {
    throw problem(
      `is too short for the range: at least ${Math.ceil(rangeMs / MAX_WINDOWS / 1000)}s gives at most ${MAX_WINDOWS} windows`,
    );
  }
  return windowMs;
}
