import { type RedisLink } from '@tidemark/redis';
import { type ConnectionOptions, Queue } from 'bullmq';

/** QUEUE_NAME is the queue of all deliveries. */
export const QUEUE_NAME = 'deliveries';
/** QUEUE_PREFIX keeps all keys of the queue in one slot of a Cluster. */
export const QUEUE_PREFIX = '{tidemark}';

/** DeliveryJob is all that a job tells: where the row is. What to send, and where, is in the database alone. */
export interface DeliveryJob {
  readonly id: string;
  readonly project: string;
}

/** JobCounts are the jobs that wait for a worker, and those that workers have in hand. */
export interface JobCounts {
  readonly waiting: number;
  readonly active: number;
}

/** A producer's commands end within 2 s; joining a connection that is just being made may take a little longer. */
const PATIENCE_MS = 5000;

/** DeliveryJobs is the producer's side of the queue. What fails leaves nothing behind: the next call begins anew. */
export class DeliveryJobs {
  private queue: Queue<DeliveryJob> | null = null;

  constructor(
    private readonly link: RedisLink,
    private readonly prefix: string,
  ) {}

  /** add makes a job of each delivery that has none; rejects when Redis does not take them all. */
  async add(jobs: readonly DeliveryJob[]): Promise<void> {
    await this.ask((queue) =>
      queue.addBulk(
        jobs.map(({ id, project }) => ({
          name: 'deliver',
          data: { id, project },
          // A job that is kept, done or failed, would keep a new one of its id away. Letters, as a bare number is refused.
          opts: { jobId: `delivery-${id}`, removeOnComplete: true, removeOnFail: true },
        })),
      ),
    );
  }

  async counts(): Promise<JobCounts> {
    const { wait = 0, active = 0 } = await this.ask((queue) => queue.getJobCounts('wait', 'active'));
    return { waiting: wait, active };
  }

  async close(): Promise<void> {
    const { queue } = this;
    this.queue = null;
    await queue?.close().catch(ignore);
  }

  private async ask<T>(question: (queue: Queue<DeliveryJob>) => Promise<T>): Promise<T> {
    if (!this.link.isUp) throw new Error('Redis is away');
    const queue = (this.queue ??= this.open());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the queue does not answer')), PATIENCE_MS);
    });
    try {
      return await Promise.race([question(queue), late]);
    } catch (error) {
      // A queue whose first connection failed fails for ever: it is made anew.
      if (this.queue === queue) await this.close();
      throw faultOf(error);
    } finally {
      clearTimeout(timer);
    }
  }

  private open(): Queue<DeliveryJob> {
    const queue = new Queue<DeliveryJob>(QUEUE_NAME, {
      connection: connectionOf(this.link),
      prefix: this.prefix,
      streams: { events: { maxLen: 100 } }, // nobody reads them
    });
    queue.on('error', ignore); // the link tells of a Redis that is away, once
    return queue;
  }
}

/** connectionOf gives a link's client to BullMQ, which does not close it. */
export function connectionOf({ client }: RedisLink): ConnectionOptions {
  return client;
}

/** faultOf keeps what a fault says and leaves the rest: errors of the client carry the arguments of their command. */
export function faultOf(error: unknown): Error {
  return new Error(`the queue in Redis failed: ${error instanceof Error ? error.message : 'for an unknown reason'}`);
}

function ignore(): void {
  // see above
}
