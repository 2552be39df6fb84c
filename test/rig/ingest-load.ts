import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Client } from './client.js';
import { inference } from './fixtures.js';

/** BatchFate is what the client knows of a batch: stored, surely not stored, or not answered. */
export type BatchFate = 'acknowledged' | 'refused' | 'unknown';

/** SentBatch is one batch as it was sent; its points are named after it. */
export interface SentBatch {
  readonly id: string;
  readonly size: number;
  fate: BatchFate;
}

/** LoadOptions are the rate: `connections` workers each send a batch, and the next one at its time or when answered. */
export interface LoadOptions {
  readonly prefix: string;
  readonly modelIds: readonly string[];
  readonly batchSize: number;
  readonly connections: number;
  /** 0 for as fast as it goes. */
  readonly pointsPerSecond: number;
  /** onAnswer hears of every answer. */
  readonly onAnswer?: (answer: Answer, size: number) => void;
}

/** IngestLoad sends batches until it is stopped, and remembers what it was answered to each. It survives a dead server. */
export class IngestLoad {
  readonly batches: SentBatch[] = [];
  private readonly workers: Promise<void>[];
  private stopping = false;

  constructor(
    private readonly api: Client,
    private readonly options: LoadOptions,
  ) {
    const { connections } = options;
    this.workers = Array.from({ length: connections }, (_, index) => this.work(index));
  }

  /** stop lets the requests that are under way have their answer. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.workers);
  }

  /** points counts the points of batches with one of these fates. */
  points(...fates: readonly BatchFate[]): number {
    return this.batches.filter(({ fate }) => fates.includes(fate)).reduce((sum, { size }) => sum + size, 0);
  }

  private async work(index: number): Promise<void> {
    const { connections, pointsPerSecond, batchSize } = this.options;
    const everyMs = pointsPerSecond === 0 ? 0 : (1000 * batchSize * connections) / pointsPerSecond;
    let dueMs = performance.now() + (everyMs * index) / connections;
    for (let turn = 0; !this.stopping; turn++) {
      await this.send(`${this.options.prefix}-${index}-${turn}`);
      // What a slow answer has cost is not made up for: the rate is never above what was asked for.
      dueMs = Math.max(dueMs + everyMs, performance.now());
      await pause(dueMs - performance.now());
    }
  }

  private async send(id: string): Promise<void> {
    const { batchSize: size, onAnswer } = this.options;
    const batch: SentBatch = { id, size, fate: 'unknown' };
    this.batches.push(batch);
    try {
      const answer = await this.api.post('metrics/inference/batch', { metrics: this.metricsOf(batch) });
      batch.fate = fateOf(answer.status);
      onAnswer?.(answer, size);
    } catch {
      await pause(20); // nobody there: the batch stays unknown
    }
  }

  /** A batch touches several series, so that one stored in part would show. */
  private metricsOf({ id, size }: SentBatch): object[] {
    const { modelIds } = this.options;
    return Array.from({ length: size }, (_, i) => {
      const modelId = modelIds[i % modelIds.length] ?? 'model';
      return inference(modelId, `${id}#${i}`, { latency: (i % 50) + 1, tags: { shard: `s${i % 4}` } });
    });
  }
}

/** A proxy that lost an instance, or waited too long for it, does not know what became of the request. */
function fateOf(status: number): BatchFate {
  if (status === 201) return 'acknowledged';
  return status === 502 || status === 504 ? 'unknown' : 'refused';
}
