import { Controller, Get, Header, HttpCode, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { answerWithin, type Clock } from '@tidemark/program';
import type { Pending } from '../store/backlog-board.js';
import { Telemetry } from './telemetry.js';

/** Service is the state of one thing that the API needs. */
export type Service = 'healthy' | 'unhealthy' | 'not_connected';

/** Check resolves when a service works now, and rejects when it does not. */
type Check = () => Promise<void>;

/** HealthChecks are of services without which nothing can be answered, and of those that are done without for a while. */
export interface HealthChecks {
  readonly needed: Readonly<Record<string, Check>>;
  readonly beside: Readonly<Record<string, Check>>;
}

/** HealthDeps are how health is found out. */
export class HealthDeps {
  constructor(
    readonly version: string,
    readonly clock: Clock,
    readonly isDraining: () => boolean,
    readonly checks: HealthChecks,
    /** Acknowledged points that the server of points has not got; null where there is no such server. */
    readonly pending: () => Pending | null,
  ) {}
}

const CHECK_TIMEOUT_MS = 2000;

/** HealthController tells machines whether the process lives, is ready, and how it is doing. */
@Controller()
export class HealthController {
  constructor(
    @Inject(HealthDeps) private readonly deps: HealthDeps,
    @Inject(Telemetry) private readonly telemetry: Telemetry,
  ) {}

  @Get('livez')
  live() {
    return { status: 'alive' };
  }

  @Get('readyz')
  @HttpCode(200)
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const services = await statesOf(this.deps.checks.needed);
    const isReady = !this.deps.isDraining() && Object.values(services).every((service) => service === 'healthy');
    void reply.status(isReady ? 200 : 503);
    return { status: isReady ? 'ready' : this.deps.isDraining() ? 'draining' : 'not_ready', services };
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): Promise<string> {
    return this.telemetry.registry.metrics();
  }

  @Get('api/v1/health')
  async health() {
    const { needed, beside } = this.deps.checks;
    const services = await statesOf({ ...needed, ...beside });
    const isHealthy = Object.values(services).every((service) => service === 'healthy');
    return {
      status: isHealthy ? 'healthy' : 'degraded',
      timestamp: new Date(this.deps.clock.wallMs()).toISOString(),
      version: this.deps.version,
      // `influxdb` is the metric store's name in clients of this contract; embedded, no InfluxDB is connected.
      services: { api: 'healthy', influxdb: 'not_connected', ...services },
      ...pendingOf(this.deps.pending()),
    };
  }
}

function pendingOf(pending: Pending | null): { pending_points?: number; pending_since?: string | null } {
  if (!pending) return {};
  const { points, sinceMs } = pending;
  return { pending_points: points, pending_since: sinceMs === null ? null : new Date(sinceMs).toISOString() };
}

async function statesOf(checks: Readonly<Record<string, Check>>): Promise<Record<string, Service>> {
  const states = Object.entries(checks).map(async ([name, check]) => [name, await probe(check)] as const);
  return Object.fromEntries(await Promise.all(states));
}

function probe(check: Check): Promise<Service> {
  return answerWithin(CHECK_TIMEOUT_MS, check).then(
    () => 'healthy',
    () => 'unhealthy',
  );
}
