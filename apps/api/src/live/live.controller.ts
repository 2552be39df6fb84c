import { Controller, Get, Header, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { HttpProblem } from '../platform/problem.js';
import { TICKET_TTL_MS, Tickets } from './tickets.js';

/** TicketAnswer is a ticket to put into the URL of the live feed, as `?ticket=`. */
export interface TicketAnswer {
  readonly ticket: string;
  /** Seconds. */
  readonly expires_in: number;
}

/** LiveController gives web pages tickets to the live feed. */
@Controller('api/v1/live')
export class LiveController {
  constructor(@Inject(Tickets) private readonly tickets: Tickets) {}

  /** What asks for the feed without an upgrade gets no further than here. */
  @Get()
  plain(): never {
    throw new HttpProblem('upgrade_required', 'the live feed is a WebSocket: open it with a client for these', {
      headers: { upgrade: 'websocket', connection: 'Upgrade' },
    });
  }

  @Post('ticket')
  @Header('cache-control', 'no-store')
  ticket(@Req() request: FastifyRequest): TicketAnswer {
    const ticket = this.tickets.issue(request.principal);
    if (ticket === null) throw new HttpProblem('overloaded', 'too many tickets are out', { retryAfterS: 5 });
    return { ticket, expires_in: TICKET_TTL_MS / 1000 };
  }
}
