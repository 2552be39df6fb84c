import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { Alert, Alerts, Deliveries } from '@tidemark/state';
import type { Alert as WireAlert } from '@tidemark/types';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '@tidemark/program';
import { HttpProblem } from '../platform/problem.js';
import { validated } from '../platform/validated.js';
import { AlertQuerySchema, createQueryReader, readRange } from '../query/queries.js';
import { AlertBook, type MarkOutcome } from './alert-book.js';
import { Mark, ResolveById } from './marks.js';
import { toWireAlert, toWireDelivery, toWireEvent } from './wire.js';

/** AlertsDeps are what alerts are read from and moved by. */
export class AlertsDeps {
  constructor(
    readonly book: AlertBook,
    readonly alerts: Alerts,
    readonly deliveries: Deliveries,
    readonly clock: Clock,
  ) {}
}

const alertQuery = createQueryReader(AlertQuerySchema);
const RESOLVED = { status: 'success', message: 'Alert resolved successfully' } as const;

/** AlertsController shows alerts and lets people acknowledge and resolve them. */
@Controller('api/v1/alerts')
export class AlertsController {
  constructor(@Inject(AlertsDeps) private readonly deps: AlertsDeps) {}

  @Get()
  async list(@Req() request: FastifyRequest): Promise<WireAlert[]> {
    const { model_id, resolved, severity, alert_type, limit, ...time } = alertQuery(request.query);
    const range = readRange(time, this.deps.clock.wallMs());
    const filter = {
      project: request.principal.project,
      modelId: model_id,
      resolved,
      severity,
      alertType: alert_type,
      limit,
      ...range,
    };
    const alerts = await this.deps.alerts.list(filter);
    return alerts.map((alert) => toWireAlert(this.deps.book.current(alert)));
  }

  @Post('resolve')
  @HttpCode(200)
  async resolveById(@Req() request: FastifyRequest, @Body() body: unknown) {
    const { alert_id } = validated(ResolveById, body);
    const mark = validated(Mark, body);
    const outcome = await this.deps.book.resolve(request.principal.project, alert_id, author(request, mark));
    if (outcome.outcome === 'not_found') throw unknown(alert_id);
    return RESOLVED;
  }

  @Get(':id')
  async one(@Req() request: FastifyRequest, @Param('id') id: string): Promise<WireAlert> {
    return toWireAlert(await this.find(request, id));
  }

  @Get(':id/events')
  async events(@Req() request: FastifyRequest, @Param('id') id: string) {
    const alert = await this.find(request, id);
    return { events: (await this.deps.alerts.events(alert.id)).map(toWireEvent) };
  }

  @Get(':id/deliveries')
  async deliveries(@Req() request: FastifyRequest, @Param('id') id: string) {
    const alert = await this.find(request, id);
    const deliveries = await this.deps.deliveries.list({ project: alert.project, alertId: alert.id, limit: 1000 });
    return { deliveries: deliveries.map(toWireDelivery) };
  }

  @Post(':id/acknowledge')
  @HttpCode(200)
  async acknowledge(
    @Req() request: FastifyRequest,
    @Param('id') id: string,
    @Body() body: unknown,
  ): Promise<WireAlert> {
    const mark = author(request, validated(Mark, body ?? {}));
    return settled(id, await this.deps.book.acknowledge(request.principal.project, id, mark));
  }

  @Post(':id/resolve')
  @HttpCode(200)
  async resolve(@Req() request: FastifyRequest, @Param('id') id: string, @Body() body: unknown): Promise<WireAlert> {
    const mark = author(request, validated(Mark, body ?? {}));
    const outcome = await this.deps.book.resolve(request.principal.project, id, mark);
    if (outcome.outcome === 'already_resolved') return toWireAlert(await this.find(request, id));
    return settled(id, outcome);
  }

  private async find(request: FastifyRequest, id: string): Promise<Alert> {
    const alert = await this.deps.alerts.get(request.principal.project, id);
    if (!alert) throw unknown(id);
    return this.deps.book.current(alert);
  }
}

/** A mark without a name is the key's, or the operator's at the machine. */
function author(request: FastifyRequest, mark: Mark): { by: string; comment: string | null } {
  const { keyId } = request.principal;
  return { by: mark.by ?? (keyId === null ? 'operator' : `key ${keyId}`), comment: mark.comment ?? null };
}

function settled(id: string, outcome: MarkOutcome): WireAlert {
  switch (outcome.outcome) {
    case 'done':
      return toWireAlert(outcome.alert);
    case 'not_found':
      throw unknown(id);
    case 'already_resolved':
      throw new HttpProblem('conflict', 'the alert is resolved already');
  }
}

function unknown(id: string): HttpProblem {
  return new HttpProblem('not_found', `there is no alert "${id.slice(0, 64)}"`);
}
