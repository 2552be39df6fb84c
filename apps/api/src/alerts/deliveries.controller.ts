import { Controller, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { Deliveries } from '@tidemark/state';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '@tidemark/program';
import { HttpProblem } from '../platform/problem.js';
import { createQueryReader, DeliveryQuerySchema } from '../query/queries.js';
import { toWireAttempt, toWireDelivery } from './wire.js';

/** DeliveriesDeps are the ledger, and the way to wake whoever delivers. */
export class DeliveriesDeps {
  constructor(
    readonly deliveries: Deliveries,
    readonly clock: Clock,
    readonly wake: () => void,
  ) {}
}

const deliveryQuery = createQueryReader(DeliveryQuerySchema);

/** DeliveriesController shows the ledger of notifications and replays the dead ones. */
@Controller('api/v1/deliveries')
export class DeliveriesController {
  constructor(@Inject(DeliveriesDeps) private readonly deps: DeliveriesDeps) {}

  @Get()
  async list(@Req() request: FastifyRequest) {
    const { status, limit } = deliveryQuery(request.query);
    const deliveries = await this.deps.deliveries.list({ project: request.principal.project, status, limit });
    return { deliveries: deliveries.map(toWireDelivery) };
  }

  @Get(':id')
  async one(@Req() request: FastifyRequest, @Param('id') id: string) {
    const delivery = await this.deps.deliveries.get(request.principal.project, id);
    if (!delivery) throw unknown(id);
    const attempts = await this.deps.deliveries.attempts(id);
    return { ...toWireDelivery(delivery), tries: attempts.map(toWireAttempt) };
  }

  @Post(':id/replay')
  @HttpCode(200)
  async replay(@Req() request: FastifyRequest, @Param('id') id: string) {
    const outcome = await this.deps.deliveries.replay(request.principal.project, id, this.deps.clock.wallMs());
    if (outcome.outcome === 'replayed') {
      this.deps.wake();
      return toWireDelivery(outcome.delivery);
    }
    if (outcome.code === 'not_found') throw unknown(id);
    throw new HttpProblem('conflict', 'only a dead delivery can be replayed');
  }
}

function unknown(id: string): HttpProblem {
  return new HttpProblem('not_found', `there is no delivery "${id.slice(0, 64)}"`);
}
