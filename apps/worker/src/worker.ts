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
  let health: HealthServer | null = null;
  try {
    const server = (health = await HealthServer.start(composition.health, surroundings.config));
    const module = WorkerModule.with([{ provide: HealthServer, useValue: server }]);
    const context = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
    return {
      url: server.url,
      stop: async () => {
        server.drain();
        // The health server goes last but one: a worker that drains is alive.
        try {
          await composition.close();
        } finally {
          try {
            await server.close();
          } finally {
            await context.close();
          }
        }
      },
    };
  } catch (error) {
    // What closing has to say is of no use to whoever must hear why it did not start.
    await Promise.allSettled([composition.close(), health?.close()]);
    throw error;
  }
}
