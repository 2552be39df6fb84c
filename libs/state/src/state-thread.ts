import { assertWellFormed, Database, type StatementCall, type StatementResult } from '@tidemark/sqlite';
import { serve, threadInput } from '@tidemark/sqlite/thread';
import type { CommitReply, CommitRequest, CommitStep, StepResult } from './commit.js';

const database = Database.open({ file: threadInput<{ readonly file: string }>().file, cacheKiB: 4096 });

serve({
  execute(call: StatementCall) {
    return { value: execute(call) };
  },
  commit(request: CommitRequest) {
    return { value: commit(request) };
  },
  close() {
    database.close();
  },
});

function execute({ sql, params }: StatementCall): StatementResult {
  for (const value of params) if (typeof value === 'string') assertWellFormed(value);
  const statement = database.prepare(sql);
  if (statement.reader) {
    const rows = statement.all(params);
    return { rows, changes: rows.length, lastInsertRowid: 0 };
  }
  return { rows: [], ...statement.run(params) };
}

/** commit runs every batch in a savepoint of one transaction, so that one that fails takes no other with it. */
function commit({ batches, lazy }: CommitRequest): CommitReply[] {
  if (!lazy) return database.transaction(() => batches.map(runBatch));
  database.exec('PRAGMA synchronous = NORMAL');
  try {
    return database.transaction(() => batches.map(runBatch));
  } finally {
    database.exec('PRAGMA synchronous = FULL');
  }
}

function runBatch(steps: readonly CommitStep[]): CommitReply {
  database.exec('SAVEPOINT batch');
  try {
    const reply = runSteps(steps);
    if (reply.outcome === 'unmet') database.exec('ROLLBACK TO batch');
    database.exec('RELEASE batch');
    return reply;
  } catch (error) {
    undo(error);
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    return { outcome: 'failed', message: error instanceof Error ? error.message : String(error), code };
  }
}

function runSteps(steps: readonly CommitStep[]): CommitReply {
  const results: StepResult[] = [];
  for (const [index, step] of steps.entries()) {
    const { rows, changes } = execute(step);
    if (step.expect !== undefined && changes !== step.expect) return { outcome: 'unmet', step: index };
    results.push({ rows, changes });
  }
  return { outcome: 'committed', results };
}

/** undo takes one batch back; when SQLite has undone the whole transaction (disk full), the group fails as one by `error`. */
function undo(error: unknown): void {
  try {
    database.exec('ROLLBACK TO batch');
    database.exec('RELEASE batch');
  } catch {
    throw error;
  }
}
