import { SqliteError } from '@tidemark/sqlite';
import type { CommitReply, CommitRequest, CommitStep } from './commit.js';

const MAX_GROUP = 128;

interface Waiting {
  readonly steps: readonly CommitStep[];
  readonly lazy: boolean;
  readonly resolve: (reply: Exclude<CommitReply, { outcome: 'failed' }>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * GroupCommit lets the batches that arrive while one commit runs share the next one: a lone batch waits for nothing,
 * a crowd pays one fsync. There is no timer.
 */
export class GroupCommit {
  private waiting: Waiting[] = [];
  private running: Promise<void> | null = null;

  constructor(private readonly send: (request: CommitRequest) => Promise<CommitReply[]>) {}

  /** submit resolves when the group that holds `steps` is committed, or was undone for an unmet expectation. */
  submit(steps: readonly CommitStep[], lazy: boolean): Promise<Exclude<CommitReply, { outcome: 'failed' }>> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ steps, lazy, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** drain resolves when nothing is waiting or running. */
  async drain(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, MAX_GROUP);
      const lazy = group.every((batch) => batch.lazy);
      try {
        const replies = await this.send({ batches: group.map((batch) => batch.steps), lazy });
        for (const [index, batch] of group.entries()) settle(batch, replies[index]);
      } catch (error) {
        for (const batch of group) batch.reject(error);
      }
    }
    this.running = null;
  }
}

function settle(batch: Waiting, reply: CommitReply | undefined): void {
  if (!reply) batch.reject(new Error('the state thread answered fewer batches than it was sent'));
  else if (reply.outcome === 'failed') batch.reject(new SqliteError(reply.message, reply.code));
  else batch.resolve(reply);
}
