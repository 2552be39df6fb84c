import type { ClosedJob, FillJob, LoadResult } from './load-job.js';
import type { Sender } from './sender.js';
import { Tally } from './tally.js';
import { withSenders } from './with-senders.js';

/** runClosed keeps every connection busy for the time of the job. */
export async function runClosed(job: ClosedJob): Promise<LoadResult> {
  return withSenders(job, (senders, done) => {
    const tally = new Tally();
    let isOver = false;
    const next = (sender: Sender): void => {
      if (isOver) return;
      const sentMs = performance.now();
      sender.send({ firstMs: Date.now() - job.points / 10, stepMs: 0.1 }, (status, bytes) => {
        if (isOver) return;
        tally.add(status, job.points, sentMs, bytes);
        next(sender);
      });
    };
    setTimeout(() => tally.begin(), job.warmupMs);
    setTimeout(() => {
      isOver = true;
      done(tally.result());
    }, job.warmupMs + job.durationMs);
    senders.forEach(next);
  });
}

const REPEAT_MS = 100;

/** runFill stores the points of the job as fast as answers come; a request refused for the moment is repeated. */
export async function runFill(job: FillJob): Promise<LoadResult> {
  return withSenders(job, (senders, done, fail) => {
    const tally = new Tally();
    const requests = Math.ceil(job.total / job.points);
    const stepMs = (job.untilMs - job.fromMs) / job.total;
    let started = 0;
    let left = requests;
    const next = (sender: Sender): void => {
      if (started < requests) send(sender, started++);
    };
    const send = (sender: Sender, index: number): void => {
      const sentMs = performance.now();
      sender.send({ firstMs: job.fromMs + index * job.points * stepMs, stepMs }, (status, bytes) => {
        tally.add(status, job.points, sentMs, bytes);
        if (status === 503) setTimeout(() => send(sender, index), REPEAT_MS);
        else if (status >= 300) fail(new Error(`a batch was answered ${status}`));
        else if (--left === 0) done(tally.result());
        else next(sender);
      });
    };
    senders.forEach(next);
  });
}
