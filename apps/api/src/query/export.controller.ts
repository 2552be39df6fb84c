import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import type { AlertFilter, Alerts } from '@tidemark/state';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toWireAlert } from '../alerts/wire.js';
import { faultDetail } from '../platform/fault-detail.js';
import { HttpProblem } from '../platform/problem.js';
import type { Position, Range } from '../store/point-store.js';
import { pendingHeaders } from './pending-points.js';
import { createQueryReader, ExportQuerySchema, readRange } from './queries.js';
import { QueryDeps } from './query.controller.js';
import { toStoredDrift, toStoredInference } from './stored.js';
import { csvHeader, csvRow } from './csv.js';

const PAGE = 2000;
const exportQuery = createQueryReader(ExportQuerySchema);

type Row = Readonly<Record<string, unknown>>;

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  inference: [
    ...['timestamp', 'model_id', 'model_type', 'request_id', 'latency', 'throughput', 'error_rate'],
    ...['resource_usage.gpu_memory', 'resource_usage.cpu_usage', 'resource_usage.memory_usage', 'tags', 'values'],
  ],
  drift: ['timestamp', 'model_id', 'drift_type', 'severity', 'confidence', 'tags'],
  alerts: [
    ...[
      'timestamp',
      'id',
      'model_id',
      'alert_type',
      'rule',
      'severity',
      'message',
      'value',
      'threshold',
      'peak',
      'occurrences',
    ],
    ...['acknowledged_at', 'acknowledged_by', 'acknowledge_comment', 'resolved_at', 'resolved_by', 'resolve_comment'],
  ],
};

/** ExportDeps are what exports are read from, besides the metrics. */
export class ExportDeps {
  constructor(
    readonly query: QueryDeps,
    readonly alerts: Alerts,
  ) {}
}

/** ExportController streams what is stored, a page at a time, so that an export of any length takes the memory of one page. */
@Controller('api/v1/export')
export class ExportController {
  constructor(@Inject(ExportDeps) private readonly deps: ExportDeps) {}

  @Get(':what')
  async export(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Param('what') what: string): Promise<void> {
    const columns = COLUMNS[what];
    if (!columns || !Object.hasOwn(COLUMNS, what)) {
      throw new HttpProblem('not_found', 'there is an export of inference, drift and alerts');
    }
    const { format, model_id, resolved, severity, alert_type, ...time } = exportQuery(request.query);
    if (what !== 'alerts') refuseAlertFilters({ resolved, severity, alert_type });
    const { query } = this.deps;
    const range = { project: request.principal.project, modelId: model_id, ...readRange(time, query.clock.wallMs()) };
    const pending = what === 'alerts' ? {} : pendingHeaders(query.pending());
    const pages =
      what === 'inference'
        ? this.inference(range)
        : what === 'drift'
          ? this.drift(range)
          : this.alerts({ ...range, resolved, severity, alertType: alert_type });
    // While nothing is sent yet, a store that does not answer can still be told as what it is.
    const rows = startingWith(await pages.next(), pages);
    void reply
      .headers(pending)
      .header('content-type', format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson')
      .header('content-disposition', `attachment; filename="tidemark-${what}.${format}"`)
      .send(
        Readable.from(format === 'csv' ? csvLines(columns, rows) : jsonLines(rows), {
          objectMode: false,
          highWaterMark: 65_536,
        }),
      );
  }

  private async *inference(range: Range): AsyncGenerator<Row[]> {
    let after: Position | undefined;
    do {
      const page = await this.deps.query.store.recent(range, PAGE, after);
      yield page.items.map(toStoredInference);
      after = page.next ?? undefined;
    } while (after);
  }

  private async *drift(range: Range): AsyncGenerator<Row[]> {
    let after: Position | undefined;
    do {
      const page = await this.deps.query.store.recentDrift(range, PAGE, after);
      yield page.items.map(toStoredDrift);
      after = page.next ?? undefined;
    } while (after);
  }

  private async *alerts(filter: Omit<AlertFilter, 'limit' | 'before'>): AsyncGenerator<Row[]> {
    let before: { startedMs: number; id: string } | undefined;
    for (;;) {
      const page = await this.deps.alerts.list({ ...filter, limit: PAGE, before });
      // What a firing alert counted since the last saving is in memory only.
      yield page.map((alert) => toWireAlert(this.deps.query.alerts.current(alert)));
      before = page.at(-1);
      if (page.length < PAGE) return;
    }
  }
}

/** The route is one for all exports, so that what only alerts have is refused here. */
function refuseAlertFilters(filters: object): void {
  const given = Object.entries(filters).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const message = 'is a parameter of an export of alerts only';
  const errors = given.map((name) => ({ pointer: `/${name}`, code: 'unknown_member' as const, message }));
  const [first] = given;
  if (first) throw new HttpProblem('invalid_query', faultDetail(first, message, errors.length), { errors });
}

async function* startingWith(first: IteratorResult<Row[]>, rest: AsyncGenerator<Row[]>): AsyncGenerator<Row[]> {
  try {
    if (first.done) return;
    yield first.value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

async function* csvLines(columns: readonly string[], pages: AsyncIterable<readonly Row[]>): AsyncGenerator<string> {
  yield csvHeader(columns);
  for await (const page of pages) if (page.length > 0) yield page.map((row) => csvRow(columns, row)).join('');
}

async function* jsonLines(pages: AsyncIterable<readonly Row[]>): AsyncGenerator<string> {
  for await (const page of pages) if (page.length > 0) yield page.map((row) => `${JSON.stringify(row)}\n`).join('');
}
