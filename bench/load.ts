import type { LoadJob, LoadResult } from './load/load-job.js';
import { ChildProcess } from './child-process.js';

/** Load is the process that makes the load, kept for many jobs, so that its code is warm and none of ours weighs on it. */
export class Load {
  private constructor(private readonly child: ChildProcess) {}

  /** start starts the process. */
  static start(): Load {
    return new Load(ChildProcess.fork(new URL('./load/load-process.js', import.meta.url)));
  }

  /** run does one job and answers what came of it; it rejects when the load could not be made. */
  async run(job: LoadJob): Promise<LoadResult> {
    const answer = await this.child.ask(job);
    if (!isResult(answer)) throw new Error('the load process answered something else');
    return answer;
  }

  /** stop ends the process. */
  stop(): Promise<void> {
    return this.child.stop('SIGTERM');
  }
}

/** refusedIn counts the answers of a job that were not 2xx. */
export function refusedIn(result: LoadResult): number {
  return Object.values(result.refused).reduce((sum, count) => sum + count, 0);
}

function isResult(answer: unknown): answer is LoadResult {
  return typeof answer === 'object' && answer !== null && 'latenciesMs' in answer && 'elapsedMs' in answer;
}
