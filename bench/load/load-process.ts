import { runClosed, runFill } from './closed-loop.js';
import type { LoadJob, LoadResult } from './load-job.js';
import { runOpen } from './open-loop.js';
import { runGets } from './query-loop.js';

const KINDS: readonly unknown[] = ['closed', 'open', 'fill', 'gets'] satisfies LoadJob['kind'][];

/** The process that makes the load: it takes jobs from its parent one at a time, and ends when the parent does. */
process.on('disconnect', () => process.exit());
process.on('message', (message: unknown) => {
  if (!isJob(message)) throw new Error('the message is not a job');
  run(message).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ fault: error instanceof Error ? error.message : String(error) }),
  );
});

async function run(job: LoadJob): Promise<LoadResult> {
  switch (job.kind) {
    case 'closed':
      return runClosed(job);
    case 'open':
      return runOpen(job);
    case 'fill':
      return runFill(job);
    case 'gets':
      return runGets(job);
  }
}

function isJob(message: unknown): message is LoadJob {
  return typeof message === 'object' && message !== null && 'kind' in message && KINDS.includes(message.kind);
}
