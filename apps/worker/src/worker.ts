import { NestFactory } from '@nestjs/core';
import { HealthServer } from './health-server.js';
import { compose, type Surroundings } from './compose.js';
import { WorkerModule } from './worker.module.js';

/** Worker is a worker that delivers. */
export interface Worker {
  /** Where it tells of its health. */
  readonly url: string;
  /** stop takes no more, finishes what is being sent (within the drain time), and closes everything. */
  readonly stop: () => Promise<void>;
}

/** startWorker opens everything and delivers; it throws, with everything closed again, when it cannot. */
export async function startWorker(surroundings: Surroundings): Promise<Worker> {
  const composition = await compose(surroundings);
  try {
    const health = await HealthServer.start(composition.health, surroundings.config);
    const module = WorkerModule.with([{ provide: HealthServer, useValue: health }]);
    const context = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
    return {
      url: health.url,
      stop: async () => {
        // The health server goes last but one: a worker that drains is alive.
        await composition.close();
        await context.get(HealthServer).close();
        await context.close();
      },
    };
  } catch (error) {
    await composition.close();
    throw error;
  }
}
