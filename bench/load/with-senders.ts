import type { LoadResult } from './load-job.js';
import { openSenders, type Sender } from './sender.js';

/** Work drives senders until it calls `done` or `fail`, once. */
export type Work = (
  senders: readonly Sender[],
  done: (result: LoadResult) => void,
  fail: (error: Error) => void,
) => void;

/** withSenders opens the connections of a job, lets `work` use them, and closes them; a broken one fails the job. */
export async function withSenders(
  job: Readonly<Record<'port' | 'points' | 'connections', number>> & { readonly linesPath?: string },
  work: Work,
): Promise<LoadResult> {
  let fail = (error: Error): void => {
    throw error;
  };
  const senders = await openSenders(job.connections, { ...job, onFault: (error) => fail(error) });
  try {
    return await new Promise<LoadResult>((resolve, reject) => {
      fail = reject;
      work(senders, resolve, reject);
    });
  } finally {
    for (const sender of senders) sender.close();
  }
}
