import { Controller, Get, Header, HttpCode, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Clock } from '@tidemark/program';
import { Telemetry } from './telemetry.js';

/** Service is the state of one thing that the API needs. */
export type Service = 'healthy' | 'unhealthy' | 'not_connected';

/** HealthDeps are how health is found out. */
export class HealthDeps {
  constructor(
    readonly version: string,
    readonly clock: Clock,
    readonly isDraining: () => boolean,
    /** Each resolves when the service works now, and rejects when it does not. */
    readonly checks: Readonly<Record<string, () => Promise<void>>>,
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
    const services = await this.services();
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
    const services = await this.services();
    const isHealthy = Object.values(services).every((service) => service === 'healthy');
    return {
      status: isHealthy ? 'healthy' : 'degraded',
      timestamp: new Date(this.deps.clock.wallMs()).toISOString(),
      version: this.deps.version,
      // `influxdb` is the metric store's name in clients of this contract; embedded, no InfluxDB is connected.
      services: { api: 'healthy', influxdb: 'not_connected', ...services },
    };
  }

  private async services(): Promise<Record<string, Service>> {
    const names = Object.entries(this.deps.checks);
    return Object.fromEntries(
      await Promise.all(names.map(async ([name, check]) => [name, await probe(check)] as const)),
    );
  }
}

async function probe(check: () => Promise<void>): Promise<Service> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), timeout]);
    return 'healthy';
  } catch {
    return 'unhealthy';
  } finally {
    clearTimeout(timer);
  }
}
