import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalServer } from '@tidemark/servers';
import { Stack, type StackOptions } from '../../stack/stack.js';
import { type Costs, costsOf, PARTS, type Part } from './costs.js';
import { readProcesses, treeMs } from './process-tree.js';

/** What may still be under way after a load, and for how long it is waited for. */
const RESTING_CORES = 0.3;
const LOOK_MS = 500;
const PATIENCE_MS = 60_000;
const READY_MS = 60_000;
const ASK_MS = 5000;

/** ProductionStack is a stack of real servers that is measured. */
export class ProductionStack {
  private constructor(private readonly stack: Stack) {}

  /** start starts a stack and resolves when every instance is ready, and nginx. */
  static async start(options: StackOptions): Promise<ProductionStack> {
    const stack = await Stack.start(options);
    try {
      for (const { url } of [...stack.apis, stack.nginx]) await untilReady(url);
      return new ProductionStack(stack);
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  /** url is nginx, where clients come in. */
  get url(): string {
    return this.stack.url;
  }

  get port(): number {
    return this.stack.nginx.place.port;
  }

  /** apis are the instances of the API. */
  get apis(): readonly LocalServer[] {
    return this.stack.apis;
  }

  get influxdb(): LocalServer {
    return this.stack.influxdb;
  }

  /** countedUrls are the servers that count what is asked of them. */
  get countedUrls(): { readonly postgres: string; readonly redis: string } {
    return { postgres: this.stack.postgres.url, redis: this.stack.redis.url };
  }

  /** costs is the processor time that each part has taken so far, in ms; zeros where the system does not show it. */
  costs(): Costs {
    const processes = readProcesses();
    const parts: Readonly<Record<Part, readonly LocalServer[]>> = {
      api: this.stack.apis,
      nginx: [this.stack.nginx],
      influxdb: [this.stack.influxdb],
      postgres: [this.stack.postgres],
      redis: [this.stack.redis],
      worker: this.stack.workers,
    };
    return costsOf((part) => parts[part].reduce((sum, server) => sum + treeMs(processes, server.process.pid), 0));
  }

  /** settle waits until what the last load left to do is done, so that the next is not charged with it. */
  async settle(): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    let isResting = false;
    while (!isResting && performance.now() < endMs) {
      const before = this.costs();
      const beginMs = performance.now();
      await sleep(LOOK_MS);
      const after = this.costs();
      const tookMs = PARTS.reduce((sum, part) => sum + after[part] - before[part], 0);
      isResting = tookMs / (performance.now() - beginMs) < RESTING_CORES;
    }
    if (!isResting) throw new Error(`the stack does not come to rest within ${PATIENCE_MS / 1000} s`);
  }

  /** close ends all of it. */
  close(): Promise<void> {
    return this.stack.close();
  }
}

async function untilReady(url: string): Promise<void> {
  const endMs = performance.now() + READY_MS;
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ASK_MS) }).catch(() => null);
    return answer?.ok ?? false;
  };
  while (!(await isReady())) {
    if (performance.now() > endMs) throw new Error(`${url} is not ready`);
    await sleep(50);
  }
}
